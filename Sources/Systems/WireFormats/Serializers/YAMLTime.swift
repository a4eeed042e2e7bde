// Dates and times of YAML 1.1, to Kombu's typed values.
import CeleryWire
import TaskhostJSON

enum YAMLTime {
    /// Whether PyYAML would try to make a time of it: year, month and day at least.
    static func looksLikeOne(_ text: String) -> Bool {
        let utf8 = Array(text.utf8.prefix(11))
        guard utf8.count >= 8, utf8[..<4].allSatisfy(YAMLScalar.isDigit), utf8[4] == UInt8(ascii: "-") else {
            return false
        }
        let isShort = text.utf8.count == 10 && utf8[7] == UInt8(ascii: "-")
        return isShort || text.utf8.contains(UInt8(ascii: ":"))
    }

    /// nil: no such day or time.
    static func read(_ text: String) -> JSON? {
        let dateEnd = text.firstIndex { $0 == "T" || $0 == "t" || $0 == " " || $0 == "\t" } ?? text.endIndex
        let day = text[..<dateEnd].split(separator: "-", omittingEmptySubsequences: false)
        guard day.count == 3, let month = padded(day[1]), let dayOfMonth = padded(day[2]) else { return nil }
        let date = "\(day[0])-\(month)-\(dayOfMonth)"
        guard ISO8601.parse(date) != nil else { return nil }
        guard dateEnd < text.endIndex else { return KombuValue.typed("date", .string(date)) }
        let rest = text[text.index(after: dateEnd)...].filter { $0 != " " && $0 != "\t" }
        let clockEnd = rest.firstIndex { $0 == "Z" || $0 == "+" || $0 == "-" } ?? rest.endIndex
        guard let clock = clock(rest[..<clockEnd]), let offset = offset(rest[clockEnd...]) else { return nil }
        let whole = "\(date)T\(clock)\(offset)"
        guard ISO8601.parse(whole) != nil else { return nil }
        return KombuValue.typed("datetime", .string(whole))
    }

    /// hh:mm:ss, with at most six digits of the fraction.
    private static func clock(_ text: Substring) -> String? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let hour = padded(parts[0]), let minute = padded(parts[1]) else { return nil }
        let seconds = parts[2].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let second = padded(seconds[0]) else { return nil }
        guard seconds.count == 2, !seconds[1].isEmpty else { return "\(hour):\(minute):\(second)" }
        guard seconds[1].utf8.allSatisfy(YAMLScalar.isDigit) else { return nil }
        let fraction = String(seconds[1].prefix(6))
        return "\(hour):\(minute):\(second).\(fraction)" + String(repeating: "0", count: 6 - fraction.count)
    }

    private static func offset(_ text: Substring) -> String? {
        if text.isEmpty { return "" }
        if text == "Z" { return "+00:00" }
        let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard let sign = text.first, 1...2 ~= parts.count, let hour = padded(parts[0]) else { return nil }
        guard let minute = parts.count == 2 ? padded(parts[1]) : "00" else { return nil }
        return "\(sign)\(hour):\(minute)"
    }

    private static func padded(_ text: Substring) -> String? {
        guard 1...2 ~= text.utf8.count, text.utf8.allSatisfy(YAMLScalar.isDigit) else { return nil }
        return text.utf8.count == 1 ? "0\(text)" : String(text)
    }
}
