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

    /// How many bytes at its beginning are plain, or 0x7F. `marks` tells rightly up to the first that is not: what
    /// carries over comes after it.
    @inline(__always)
    static func plainBytes(_ word: UInt64) -> Int {
        (~marks(UInt64(littleEndian: word)) & highBits).trailingZeroBitCount >> 3
    }

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
        words(of: text) { word, _ in
            isPlain(word)
        } bytes: {
            isPlain(text[$0])
        }
    }

    /// Copies it to a place that has room for it.
    /// - Returns: false: something of it may not stand in a JSON string as it is; what was written is to be dropped.
    public static func copy(_ text: UnsafeBufferPointer<UInt8>, to place: UnsafeMutablePointer<UInt8>) -> Bool {
        let to = UnsafeMutableRawPointer(place)
        return words(of: UnsafeRawBufferPointer(text)) { word, offset in
            to.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
            return isPlain(word)
        } bytes: { index in
            place[index] = text[index]
            return isPlain(text[index])
        }
    }

    /// All of it, eight bytes at a time; the last word overlaps the one before it. Byte by byte what is shorter than one.
    /// - Returns: false as soon as one of both does.
    @inline(__always)
    private static func words(
        of text: UnsafeRawBufferPointer, word: (UInt64, Int) -> Bool, bytes: (Int) -> Bool
    ) -> Bool {
        guard text.count >= 8 else {
            for index in 0..<text.count where !bytes(index) { return false }
            return true
        }
        var offset = 0
        while text.count - offset >= 8 {
            guard word(text.loadUnaligned(fromByteOffset: offset, as: UInt64.self), offset) else { return false }
            offset += 8
        }
        guard offset < text.count else { return true }
        let last = text.count - 8
        return word(text.loadUnaligned(fromByteOffset: last, as: UInt64.self), last)
    }
}
