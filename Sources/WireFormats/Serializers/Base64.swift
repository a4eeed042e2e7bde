// Base64 as Python's standard alphabet writes it (RFC 4648 §4).

enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
        return values
    }()

    static func encode(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var word: UInt32 = 0
        var count = 0
        for byte in bytes {
            word = word << 8 | UInt32(byte)
            count += 1
            guard count == 3 else { continue }
            for shift in [18, 12, 6, 0] { text.append(digits[Int(word >> UInt32(shift) & 63)]) }
            (word, count) = (0, 0)
        }
        if count > 0 {
            word <<= UInt32(8 * (3 - count))
            for shift in [18, 12, 6, 0].prefix(count + 1) { text.append(digits[Int(word >> UInt32(shift) & 63)]) }
            text.append(contentsOf: repeatElement(UInt8(ascii: "="), count: 3 - count))
        }
        return text
    }

    /// White space is passed over; nil: anything else that is not base64, or missing padding.
    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var word: UInt32 = 0
        var count = 0
        var padding = 0
        for character in text {
            if character == 0x20 || 0x09...0x0D ~= character { continue }
            if character == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            let value = values[Int(character)]
            guard value != 0xFF, padding == 0 else { return nil }
            word = word << 6 | UInt32(value)
            count += 1
            guard count == 4 else { continue }
            for shift in [16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(shift))) }
            (word, count) = (0, 0)
        }
        switch count {
        case 0: return padding == 0 ? bytes : nil
        case 2, 3:
            guard padding == 4 - count else { return nil }
            word <<= UInt32(6 * (4 - count))
            for shift in [16, 8].prefix(count - 1) { bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(shift))) }
            return bytes
        default: return nil
        }
    }
}
