// Base64 in the standard alphabet (RFC 4648 §4), as Python writes and reads it.

public enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The value of each digit; 0xFF: none.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
        return values
    }()

    /// Bodies of messages go through here, so the text is written in place.
    public static func encode(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: length(of: bytes)) { write(bytes, into: $0) }
    }

    public static func encodedBytes(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: length(of: bytes)) { text, count in count = write(bytes, into: text) }
    }

    private static func length(of bytes: [UInt8]) -> Int { (bytes.count + 2) / 3 * 4 }

    private static func write(_ bytes: [UInt8], into text: UnsafeMutableBufferPointer<UInt8>) -> Int {
        bytes.withUnsafeBufferPointer { bytes in
            digits.withUnsafeBufferPointer { digits in
                var (from, to) = (0, 0)
                while from + 3 <= bytes.count {
                    let word = Int(bytes[from]) << 16 | Int(bytes[from + 1]) << 8 | Int(bytes[from + 2])
                    text[to] = digits[word >> 18]
                    text[to + 1] = digits[word >> 12 & 63]
                    text[to + 2] = digits[word >> 6 & 63]
                    text[to + 3] = digits[word & 63]
                    (from, to) = (from + 3, to + 4)
                }
                let left = bytes.count - from
                guard left > 0 else { return to }
                let word = Int(bytes[from]) << 16 | (left == 2 ? Int(bytes[from + 1]) << 8 : 0)
                text[to] = digits[word >> 18]
                text[to + 1] = digits[word >> 12 & 63]
                text[to + 2] = left == 2 ? digits[word >> 6 & 63] : UInt8(ascii: "=")
                text[to + 3] = UInt8(ascii: "=")
                return to + 4
            }
        }
    }

    /// What may stand between the digits.
    public enum Filler: Sendable {
        case whiteSpace
        /// Passed over, whatever it is, as Python's `b64decode` does.
        case anything
    }

    /// nil: something else than digits, padding and filler, or padding that is missing or too much.
    public static func decode(_ text: String, filler: Filler = .whiteSpace) -> [UInt8]? {
        text.utf8.withContiguousStorageIfAvailable { decode($0, filler) } ?? decode(Array(text.utf8), filler: filler)
    }

    public static func decode(_ text: [UInt8], filler: Filler = .whiteSpace) -> [UInt8]? {
        text.withUnsafeBufferPointer { decode($0, filler) }
    }

    public static func decode(_ text: UnsafeBufferPointer<UInt8>, _ filler: Filler) -> [UInt8]? {
        var isWhole = false
        let bytes = [UInt8](unsafeUninitializedCapacity: text.count / 4 * 3 + 3) { bytes, count in
            isWhole = read(text, filler, into: bytes, &count)
        }
        return isWhole ? bytes : nil
    }

    /// Groups of four digits, as far as nothing else comes between.
    /// - Returns: how much of the text that was.
    @inline(__always)
    private static func readWhole(
        _ text: UnsafeBufferPointer<UInt8>, _ values: UnsafeBufferPointer<UInt8>,
        into bytes: UnsafeMutableBufferPointer<UInt8>, _ count: inout Int
    ) -> Int {
        var from = 0
        while from + 4 <= text.count {
            let (first, second) = (values[Int(text[from])], values[Int(text[from + 1])])
            let (third, fourth) = (values[Int(text[from + 2])], values[Int(text[from + 3])])
            // A digit has six bits.
            guard first | second | third | fourth < 64 else { return from }
            bytes[count] = first << 2 | second >> 4
            bytes[count + 1] = second << 4 | third >> 2
            bytes[count + 2] = third << 6 | fourth
            (from, count) = (from + 4, count + 3)
        }
        return from
    }

    private static func read(
        _ text: UnsafeBufferPointer<UInt8>, _ filler: Filler, into bytes: UnsafeMutableBufferPointer<UInt8>,
        _ count: inout Int
    ) -> Bool {
        values.withUnsafeBufferPointer { values in
            var (word, digits, padding) = (0, 0, 0)
            let whole = readWhole(text, values, into: bytes, &count)
            for character in text[whole...] {
                let value = values[Int(character)]
                guard value != 0xFF else {
                    if character == UInt8(ascii: "=") {
                        padding += 1
                    } else if filler == .whiteSpace, character != 0x20, !(0x09...0x0D ~= character) {
                        return false
                    }
                    continue
                }
                guard padding == 0 else { return false }
                word = word << 6 | Int(value)
                digits += 1
                guard digits == 4 else { continue }
                bytes[count] = UInt8(truncatingIfNeeded: word >> 16)
                bytes[count + 1] = UInt8(truncatingIfNeeded: word >> 8)
                bytes[count + 2] = UInt8(truncatingIfNeeded: word)
                (word, digits, count) = (0, 0, count + 3)
            }
            guard digits > 0 else { return padding == 0 }
            guard digits > 1, padding == 4 - digits else { return false }
            word <<= 6 * (4 - digits)
            bytes[count] = UInt8(truncatingIfNeeded: word >> 16)
            count += 1
            if digits == 3 {
                bytes[count] = UInt8(truncatingIfNeeded: word >> 8)
                count += 1
            }
            return true
        }
    }
}
