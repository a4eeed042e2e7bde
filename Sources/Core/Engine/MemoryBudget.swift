// How much of messages is held at a time, in bytes and in number: what a host has in memory is bounded by it.
//
// Usual messages share the budget. One that is larger than half of it does not fit in beside others, so such messages
// are held one at a time. What finds no room is requeued, and nothing is taken until half of the budget is
// free again: with no consumer the broker cannot deliver the same messages over and over.
//
// Messages that wait for their time come on top of a queue's credit, so they have bounds of their own: a part of the
// bytes, and a number.

struct MemoryBudget {
    /// What a message takes beside its body, about: headers, properties, and what is noted of it here.
    static let overhead = 3_072

    let maxBytes: Int
    let maxWaiting: Int
    private var bytes = 0
    private var large = 0
    private var waiting = 0
    private var waitingBytes = 0
    /// Something found no room; nothing is taken meanwhile.
    private(set) var isFull = false

    /// - Parameters:
    ///   - maxBytes: of all messages held, apart from one large one.
    ///   - maxWaiting: messages held until they are due.
    init(maxBytes: Int, maxWaiting: Int) {
        self.maxBytes = max(1, maxBytes)
        self.maxWaiting = max(0, maxWaiting)
    }

    private func isLarge(_ size: Int) -> Bool { size > maxBytes / 2 }

    func hasRoom(for size: Int) -> Bool { isLarge(size) ? large == 0 : bytes + size <= maxBytes }

    mutating func takes(_ size: Int) {
        if isLarge(size) { large += 1 } else { bytes += size }
    }

    mutating func releases(_ size: Int) {
        if isLarge(size) { large -= 1 } else { bytes -= size }
    }

    mutating func overflows() { isFull = true }

    /// True once, when messages may be taken again.
    mutating func reopens() -> Bool {
        guard isFull, large == 0, bytes <= maxBytes / 2 else { return false }
        isFull = false
        return true
    }

    /// One more may be held until it is due.
    var mayWait: Bool { waiting < maxWaiting && waitingBytes < maxBytes / 4 }

    mutating func waits(_ size: Int) {
        waiting += 1
        waitingBytes += size
    }

    mutating func waitsNoMore(_ size: Int) {
        waiting -= 1
        waitingBytes -= size
    }
}
