// Texts as Python's `repr` writes them: error replies are such texts, and clients show them.

enum PythonText {
    static func repr(_ text: String) -> String {
        // Ids and names, by the ten thousand.
        let isPlain = text.utf8.allSatisfy { 0x20..<0x7F ~= $0 && $0 != UInt8(ascii: "'") && $0 != UInt8(ascii: "\\") }
        if isPlain { return "'\(text)'" }
        let hasOnlySingle = text.unicodeScalars.contains("'") && !text.unicodeScalars.contains("\"")
        let quote: Unicode.Scalar = hasOnlySingle ? "\"" : "'"
        var out = String(quote)
        for scalar in text.unicodeScalars {
            switch scalar {
            case quote, "\\": out += "\\\(scalar)"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F {
                    out += (scalar.value < 16 ? "\\x0" : "\\x") + String(scalar.value, radix: 16)
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        return out + String(quote)
    }

    /// A set of texts, in the order given, where Python's is any.
    static func set(_ values: [String]) -> String {
        values.isEmpty ? "set()" : "{\(values.map(repr).joined(separator: ", "))}"
    }
}
