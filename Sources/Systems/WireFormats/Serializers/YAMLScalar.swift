// What a plain YAML scalar means, by the rules of YAML 1.1 as PyYAML's safe loader applies them.
import TaskhostJSON

enum YAMLScalar {
    /// nil: it looks like a value and is none we read (a number too large, an impossible date).
    static func resolve(_ text: String) -> JSON? {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON": return .bool(true)
        case "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF": return .bool(false)
        case ".nan", ".NaN", ".NAN": return .double(.nan)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .double(.infinity)
        case "-.inf", "-.Inf", "-.INF": return .double(-.infinity)
        default: break
        }
        guard let first = text.utf8.first, isDigit(first) || [0x2B, 0x2D, 0x2E].contains(first) else {
            return .string(text)
        }
        if isDigit(first), YAMLTime.looksLikeOne(text) { return YAMLTime.read(text) }
        return number(text)
    }

    /// - Returns: the text itself when it is no number; nil: an integer we do not read.
    static func number(_ text: String) -> JSON? {
        var body = Substring(text)
        let isNegative = body.first == "-"
        if isNegative || body.first == "+" { body.removeFirst() }
        guard let first = body.utf8.first, isDigit(first) || first == 0x2E else { return .string(text) }
        if body.utf8.contains(UInt8(ascii: ":")) { return sexagesimal(body, isNegative) ?? .string(text) }
        if body.utf8.contains(UInt8(ascii: ".")) { return float(body, isNegative) ?? .string(text) }
        let digits = body.filter { $0 != "_" }
        let isDecimal = digits == "0" || !body.hasPrefix("0") && digits.utf8.allSatisfy(isDigit)
        if isDecimal { return integer(digits, isNegative) }
        for (prefix, radix) in [("0b", 2), ("0x", 16), ("0", 8)] where body.hasPrefix(prefix) {
            let rest = digits.dropFirst(prefix.count)
            guard !rest.isEmpty, rest.allSatisfy({ ($0.hexDigitValue ?? 99) < radix && $0.isASCII }) else {
                return .string(text)
            }
            return Int64((isNegative ? "-" : "") + rest, radix: radix).map(JSON.int)
        }
        return .string(text)
    }

    private static func integer(_ digits: String, _ isNegative: Bool) -> JSON? {
        guard digits.utf8.count <= JSONLimits.maxDigits else { return nil }
        let signed = (isNegative && digits != "0" ? "-" : "") + digits
        return Int64(signed).map(JSON.int) ?? .bigInteger(signed)
    }

    /// A float has a point, and its exponent a sign: `1e5` is a text.
    private static func float(_ body: Substring, _ isNegative: Bool) -> JSON? {
        let plain = body.filter { $0 != "_" }
        let parts = plain.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.allSatisfy(isDigit) else { return nil }
        let fraction = parts[1].prefix { $0.isASCII && $0.isNumber }
        guard !parts[0].isEmpty || !fraction.isEmpty else { return nil }
        var exponent = parts[1].dropFirst(fraction.count)
        if !exponent.isEmpty {
            guard exponent.removeFirst().lowercased() == "e", let sign = exponent.first, sign == "+" || sign == "-",
                exponent.count > 1, exponent.dropFirst().utf8.allSatisfy(isDigit)
            else { return nil }
        }
        let whole = parts[0].isEmpty ? "0" : String(parts[0])
        let text = whole + "." + (fraction.isEmpty ? "0" : fraction) + (exponent.isEmpty ? "" : "e" + exponent)
        return Double(text).map { .double(isNegative ? -$0 : $0) }
    }

    /// 1:30 is 90.
    private static func sexagesimal(_ body: Substring, _ isNegative: Bool) -> JSON? {
        let parts = body.filter { $0 != "_" }.split(separator: ":", omittingEmptySubsequences: false)
        var total = 0.0
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            guard let value = Double(part), part.utf8.allSatisfy({ isDigit($0) || isLast && $0 == 0x2E }),
                index == 0 || value < 60
            else { return nil }
            total = total * 60 + value
        }
        guard total < 1e15 else { return nil }
        if body.utf8.contains(UInt8(ascii: ".")) { return .double(isNegative ? -total : total) }
        return body.hasPrefix("0") ? nil : .int(Int64(isNegative ? -total : total))
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
}
