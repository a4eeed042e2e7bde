// What a task's tree writes to stdout and stderr: the last of it for the report, its lines for the log.

/// Bounded in memory (tail and one unfinished line), in lines per run, and in bytes per line.
struct OutputCapture {
    /// Bytes kept for the report.
    static let tailLimit = 64 << 10
    /// Longer lines are cut into lines of this many bytes.
    static let lineLimit = 8 << 10
    /// A run may log so many lines at once, and gets so many more each second.
    static let burst = 1000.0
    static let linesPerSecond = 200.0

    private var tail: [UInt8] = []
    private var unfinished: [UInt8] = []
    private var allowance = burst
    private var refilledAt: UInt64 = 0
    private var leftOut = 0

    var isEmpty: Bool { tail.isEmpty && leftOut == 0 }

    /// `now` in monotonic nanoseconds.
    mutating func append(_ bytes: UnsafeRawBufferPointer, now: UInt64, say: (String) -> Void) {
        if bytes.count >= Self.tailLimit {
            tail = [UInt8](bytes.suffix(Self.tailLimit))
        } else {
            tail.append(contentsOf: bytes)
            // Cutting at twice the limit moves each byte once on the average.
            if tail.count > 2 * Self.tailLimit { tail.removeFirst(tail.count - Self.tailLimit) }
        }
        refill(now)
        split(bytes, say)
    }

    /// It has said all it may for now.
    var isExhausted: Bool { allowance < 1 }

    /// As text, cut at the longest line there may be.
    static func line(_ bytes: UnsafeRawBufferPointer) -> String {
        guard bytes.count > lineLimit else { return String(decoding: bytes, as: UTF8.self) }
        return String(decoding: bytes.prefix(lineLimit), as: UTF8.self) + " [\(bytes.count - lineLimit) bytes more]"
    }

    /// A line of another source (the task's own log) that counts against the same allowance.
    mutating func sayWithinAllowance(now: UInt64, _ say: () -> Void) {
        refill(now)
        if spend() { say() }
    }

    /// The tail; says what is unfinished and how much was left out, then starts again.
    mutating func finish(say: (String) -> Void) -> [UInt8] {
        if isEmpty { return [] }
        if !unfinished.isEmpty, spend() { say(String(decoding: unfinished, as: UTF8.self)) }
        if leftOut > 0 { say("[\(leftOut) lines left out: more than can be logged]") }
        let kept = tail.count > Self.tailLimit ? [UInt8](tail.suffix(Self.tailLimit)) : tail
        self = OutputCapture()
        return kept
    }

    private mutating func split(_ bytes: UnsafeRawBufferPointer, _ say: (String) -> Void) {
        var start = 0
        while start < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
            let newline = rest.firstIndex(of: UInt8(ascii: "\n"))
            let room = Self.lineLimit - unfinished.count
            let end = min(newline ?? rest.count, room)
            let isComplete = newline == end || end == room
            let piece = UnsafeRawBufferPointer(rebasing: rest[..<end])
            if isComplete {
                if spend() {
                    say(
                        unfinished.isEmpty
                            ? String(decoding: piece, as: UTF8.self)
                            : String(decoding: unfinished + piece, as: UTF8.self))
                }
                unfinished.removeAll(keepingCapacity: true)
            } else {
                unfinished.append(contentsOf: piece)
            }
            start += end + (newline == end ? 1 : 0)
        }
    }

    private mutating func refill(_ now: UInt64) {
        if refilledAt != 0, now > refilledAt {
            let seconds = Double(now - refilledAt) / 1e9
            allowance = min(Self.burst, allowance + seconds * Self.linesPerSecond)
        }
        refilledAt = now
    }

    private mutating func spend() -> Bool {
        guard allowance >= 1 else {
            leftOut += 1
            return false
        }
        allowance -= 1
        return true
    }
}
