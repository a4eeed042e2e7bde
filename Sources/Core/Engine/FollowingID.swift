// Ids that follow from a task and a number (RFC 9562, version 8).

import CeleryWire

enum FollowingID {
    static func text(of message: TaskMessage, number: UInt64) -> String {
        let (id, name, retries, replacements) = (
            message.id, message.name, message.retries, message.replacedTaskNesting
        )
        var hash = Hash()
        // Lengths keep ("ab", "c") apart from ("a", "bc").
        for text in [id, name] {
            hash.add(UInt64(text.utf8.count))
            for byte in text.utf8 { hash.add(byte: byte) }
        }
        for value in [UInt64(retries), UInt64(replacements), number] { hash.add(value) }
        var value = hash.value
        value = value & ~(UInt128(0xF) << 76) | UInt128(8) << 76
        value = value & ~(UInt128(0x3) << 62) | UInt128(2) << 62
        let digits = String(value, radix: 16)
        var text = ""
        for (index, digit) in (String(repeating: "0", count: 32 - digits.count) + digits).enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append("-") }
            text.append(digit)
        }
        return text
    }

    /// FNV-1a of 128 bits (Fowler, Noll, Vo).
    private struct Hash {
        var value: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d

        mutating func add(byte: UInt8) {
            value ^= UInt128(byte)
            value = (value << 88) &+ value &* 0x13b
        }

        mutating func add(_ number: UInt64) {
            for shift in stride(from: 0, to: 64, by: 8) { add(byte: UInt8(truncatingIfNeeded: number >> shift)) }
        }
    }
}
