// Percent-coding, and addresses without their secrets.

extension ConnectionURL: CustomStringConvertible {
    /// As written, with `***` for each secret.
    public var description: String { redacted() }

    public func redacted(mask: String = "***") -> String { Self.redacted(text, mask: mask) }

    /// Any text that may hold addresses, with their secrets hidden. Several may be joined by `;`.
    public static func redacted(_ text: String, mask: String = "***") -> String {
        var shown = text
        for range in secretRanges(in: text).reversed() { shown.replaceSubrange(range, with: mask) }
        return shown
    }

    /// Where the secrets are, in order and apart from each other: `//USER:…@HOST` and `?password=…`. Of an address that
    /// can be read in two ways the longer stretch counts as secret.
    public static func secretRanges(in text: String) -> [Range<String.Index>] {
        var found: [Range<String.Index>] = []
        for part in text.split(separator: ";") {
            var rest = part.startIndex
            if let start = part.firstRange(of: "://")?.upperBound, let at = part[start...].lastIndex(of: "@"),
                let colon = part[start..<at].firstIndex(of: ":")
            {
                found.append(part.index(after: colon)..<at)
                rest = at
            }
            found += namedSecrets(in: part, from: rest)
        }
        return found.filter { !$0.isEmpty }
    }

    private static let secretNames: [StaticString] = [
        "password=", "sslpassword=", "passwd=", "token=", "access_token=", "api_key=", "apikey=", "key=", "secret=",
    ]

    /// Without a regular expression: to make one takes longer than the rest of reading the command line.
    private static func namedSecrets(in part: Substring, from start: String.Index) -> [Range<String.Index>] {
        var found: [Range<String.Index>] = []
        let bytes = part.utf8
        var at = start
        while at < bytes.endIndex {
            let mark = bytes[at]
            bytes.formIndex(after: &at)
            guard mark == UInt8(ascii: "?") || mark == UInt8(ascii: "&") else { continue }
            let rest = bytes[at...]
            let name = secretNames.first { name in
                rest.starts(with: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
            }
            guard let name else { continue }
            let value = rest.dropFirst(name.utf8CodeUnitCount)
            let end = value.firstIndex { $0 == UInt8(ascii: "&") || $0 == UInt8(ascii: "#") } ?? value.endIndex
            found.append(value.startIndex..<end)
            at = end
        }
        return found
    }

    /// Percent-decoded; nil: a `%` without two hexadecimal digits, or bytes that are no UTF-8.
    public static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.next().flatMap(hexDigit), let low = rest.next().flatMap(hexDigit) else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// All but letters, digits and `-._` percent-encoded: fit for any part of an address.
    public static func encoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            if isLetter(byte) || isDigit(byte) || "-._".utf8.contains(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }

    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
