// Text that means the same inside quotes: printable ASCII without quote and backslash. Told by eight bytes at a time.

public enum PlainText {
    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// Whether all eight bytes are plain. A byte of `marks` has its high bit set if it is plain; if one is not, at least
    /// one is clear. (Below 0x80 no addition carries into the next byte, and a byte from 0x80 on clears its own bit.)
    @inline(__always)
    static func marks(_ word: UInt64) -> UInt64 {
        let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
        return ~word & (word &+ 0x6060_6060_6060_6060) & ((word ^ 0x2222_2222_2222_2222) &+ low)
            & ((word ^ 0x5C5C_5C5C_5C5C_5C5C) &+ low)
    }

    @inline(__always)
    static func areAllMarked(_ marks: UInt64) -> Bool { marks & highBits == highBits }

    /// Bytes that the scanner passes over. 0x7F is one: it need not be escaped, though it is when we write.
    @inline(__always)
    static func isPassed(_ byte: UInt8) -> Bool {
        byte &- 0x20 < 0x60 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool { isPassed(byte) && byte != 0x7F }

    @inline(__always)
    private static func isPlain(_ word: UInt64) -> Bool {
        // + 1 carries 0x7F over into the high bit; what is above is refused by `marks`.
        areAllMarked(marks(word)) && (word &+ 0x0101_0101_0101_0101) & highBits == 0
    }

    /// Whether it may stand in a JSON string as it is.
    public static func covers(_ text: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        while text.count - offset >= 8 {
            guard isPlain(text.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) else { return false }
            offset += 8
        }
        while offset < text.count {
            guard isPlain(text[offset]) else { return false }
            offset += 1
        }
        return true
    }

    /// Copies it to a place that has room for it.
    /// - Returns: false: something of it may not stand in a JSON string as it is; what was written is to be dropped.
    public static func copy(_ text: UnsafeBufferPointer<UInt8>, to place: UnsafeMutablePointer<UInt8>) -> Bool {
        let from = UnsafeRawBufferPointer(text)
        let to = UnsafeMutableRawPointer(place)
        var offset = 0
        while from.count - offset >= 8 {
            let word = from.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            guard isPlain(word) else { return false }
            to.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        while offset < from.count {
            guard isPlain(text[offset]) else { return false }
            place[offset] = text[offset]
            offset += 1
        }
        return true
    }
}
