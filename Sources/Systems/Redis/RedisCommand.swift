// A command as Redis reads it: an array of bulk strings (RESP). hiredis makes the same, at ten times the cost.

enum RedisCommand {
    /// Digits of any length and the line's end.
    private static let lineRoom = 23

    /// - Parameter body: gets the command and its length; it is gone afterwards.
    static func with<Result>(_ words: [[UInt8]], _ body: (UnsafePointer<CChar>?, Int) -> Result) -> Result {
        var room = lineRoom
        for word in words { room += lineRoom + word.count + 2 }
        return withUnsafeTemporaryAllocation(byteCount: room, alignment: 1) { memory in
            var length = 0
            func byte(_ byte: UInt8) {
                memory[length] = byte
                length += 1
            }
            func line(_ mark: UInt8, _ number: Int) {
                byte(mark)
                var digits = 1
                var bound = 10
                while number >= bound {
                    digits += 1
                    (bound, _) = bound.multipliedReportingOverflow(by: 10)
                }
                var rest = number
                for place in (length..<length + digits).reversed() {
                    memory[place] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
                    rest /= 10
                }
                length += digits
                byte(0x0D)
                byte(0x0A)
            }
            line(UInt8(ascii: "*"), words.count)
            for word in words {
                line(UInt8(ascii: "$"), word.count)
                word.withUnsafeBytes { memory.baseAddress.map { $0 + length }?.copyBytes($0) }
                length += word.count
                byte(0x0D)
                byte(0x0A)
            }
            return body(memory.baseAddress?.assumingMemoryBound(to: CChar.self), length)
        }
    }
}

extension UnsafeMutableRawPointer {
    fileprivate func copyBytes(_ bytes: UnsafeRawBufferPointer) {
        guard let from = bytes.baseAddress else { return }
        copyMemory(from: from, byteCount: bytes.count)
    }
}
