// Kombu's typed values: {"__type__": "bytes", "__value__": …} and their like, where a text or bytes are wanted.

enum TypedValue {
    /// The text of a datetime, date, time, decimal or UUID; nil when `json` is none of these.
    static func text(_ json: JSON) -> String? {
        guard let (type, value) = parts(json) else { return nil }
        switch (type, value) {
        case ("datetime", .string(let text)), ("date", .string(let text)), ("time", .string(let text)),
            ("decimal", .string(let text)), ("bytes", .string(let text)):
            return text
        case ("uuid", .object(let members)):
            guard case .string(let hex)? = members.first?.value, members.count == 1, hex.utf8.count == 32 else {
                return nil
            }
            let digits = Array(hex)
            return [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]]
                .map { String($0) }.joined(separator: "-")
        default: return nil
        }
    }

    /// The bytes of a `bytes` or `base64` value; nil when `json` is neither. Throws when its base64 is broken.
    static func bytes(_ json: JSON, at place: ValuePlace) throws -> [UInt8]? {
        guard let (type, value) = parts(json), case .string(let text) = value else { return nil }
        switch type {
        case "bytes": return Array(text.utf8)
        case "base64":
            guard let bytes = decodeBase64(text.utf8) else {
                throw TaskError(type: "ValueError", "\(place): invalid base64")
            }
            return bytes
        default: return nil
        }
    }

    private static func parts(_ json: JSON) -> (type: String, value: JSON)? {
        guard case .object(let members) = json, members.count == 2, case .string(let type)? = json["__type__"],
            let value = json["__value__"]
        else { return nil }
        return (type, value)
    }

    private static func decodeBase64(_ text: String.UTF8View) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let data = text.prefix { $0 != UInt8(ascii: "=") }
        guard text.count - data.count <= 2, text.dropFirst(data.count).allSatisfy({ $0 == UInt8(ascii: "=") }) else {
            return nil
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var collected: UInt32 = 0
        var bits = 0
        for character in data {
            guard let digit = digit(character) else { return nil }
            collected = collected << 6 | digit
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: collected >> UInt32(bits)))
            }
        }
        return bytes
    }

    private static func digit(_ character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
