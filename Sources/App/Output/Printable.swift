// Strangers' texts made fit for a terminal and for logs that are read line by line: one place for all of them.

package enum Printable {
    /// On one line: what would steer a terminal, break the line or turn its direction stands there by its number
    /// (`\n`, `\u{1B}`). JSON needs none of this: it has escapes of its own.
    package static func line(_ text: String) -> String { escaped(text, lineBreak: "\\n", tab: "\\t") }

    /// A text that may have several lines: line feeds and tabs stay, all else as in `line`.
    package static func lines(_ text: String) -> String { escaped(text, lineBreak: "\n", tab: "\t") }

    /// A log record: all lines but the first are moved in, so that none of them can pass for a record.
    static func record(_ text: String) -> String { escaped(text, lineBreak: "\n    ", tab: "\t") }

    private static func escaped(_ text: String, lineBreak: String, tab: String) -> String {
        guard text.unicodeScalars.contains(where: steers) else { return text }
        var made = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": made += lineBreak
            case "\t": made += tab
            case "\r": made += "\\r"
            case _ where steers(scalar): made += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
            default: made.unicodeScalars.append(scalar)
            }
        }
        return made
    }

    private static func steers(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // Controls (C0, DEL, C1), line and paragraph separators, marks and embeddings of writing direction.
        case ..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
