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
        let words = [high & ~0xF000 | version << 12, low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000]
        var text = ""
        for (index, digit) in words.map(hex).joined().enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append("-") }
            text.append(digit)
        }
        return text
    }

    private static func hex(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
