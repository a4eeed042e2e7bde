// UUIDs as text, from 128 bits of one's own or of the system's random source.

public enum UUIDText {
    /// Random (version 4).
    public static func random() -> String {
        var random = SystemRandomNumberGenerator()
        return of(random.next(), random.next(), version: 4)
    }

    /// - Parameters:
    ///   - high: its bits 12–15 give way to the version.
    ///   - low: its two highest bits give way to the variant.
    public static func of(_ high: UInt64, _ low: UInt64, version: UInt64) -> String {
        let words = (high & ~0xF000 | version << 12, low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
        return String(unsafeUninitializedCapacity: 36) { text in
            var place = 0
            for digit in 0..<32 {
                if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                    text[place] = UInt8(ascii: "-")
                    place += 1
                }
                let word = digit < 16 ? words.0 : words.1
                let value = UInt8(truncatingIfNeeded: word >> (60 - 4 * UInt64(digit & 15))) & 0xF
                text[place] = value < 10 ? 0x30 + value : 0x57 + value
                place += 1
            }
            return place
        }
    }
}
