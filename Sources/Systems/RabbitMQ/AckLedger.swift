// Which deliveries of one channel are settled, and how to tell the broker in as few frames as possible.

/// Delivery tags of a channel count 1, 2, 3, … All up to `floor` are settled; of those above a bit says so.
/// Each tag costs O(1) over its life.
struct AckLedger {
    enum Frame: Equatable {
        case ack(UInt64, multiple: Bool)
        case reject(UInt64, requeue: Bool)
    }

    /// The newest tag delivered.
    private(set) var newest: UInt64 = 0
    private var floor: UInt64 = 0
    /// Delivered, and neither acknowledged nor rejected.
    private(set) var unsettled = 0
    /// Bit n of word w: tag `firstWord * 64 + w * 64 + n` is settled.
    private var words: [UInt64] = [0]
    private var firstWord: UInt64 = 0
    /// Words at the front of `words` that lie wholly below the floor.
    private var spent = 0
    private var acks: [UInt64] = []
    private var rejects: [(UInt64, Bool)] = []

    /// The oldest unsettled tag, as of the last flush.
    var oldest: UInt64 { floor + 1 }

    var isDirty: Bool { !acks.isEmpty || !rejects.isEmpty }

    mutating func delivered(_ tag: UInt64) {
        guard tag > newest else { return }
        unsettled += Int(tag - newest)
        newest = tag
    }

    /// False: not a tag of ours, or settled before. The broker would close the channel for it.
    mutating func acknowledge(_ tag: UInt64) -> Bool {
        guard mark(tag) else { return false }
        acks.append(tag)
        return true
    }

    mutating func reject(_ tag: UInt64, requeue: Bool) -> Bool {
        guard mark(tag) else { return false }
        rejects.append((tag, requeue))
        return true
    }

    /// The frames owed, in the order they must be sent.
    mutating func flush() -> [Frame] {
        var frames: [Frame] = rejects.map { .reject($0.0, requeue: $0.1) }
        rejects.removeAll(keepingCapacity: true)
        let from = floor
        raiseFloor()
        // Rejects precede, so a `multiple` up to the newest ack below the floor means exactly the acks.
        var last: UInt64 = 0
        var folded = 0
        for tag in acks where tag <= floor {
            last = max(last, tag)
            folded += 1
        }
        if folded > 0, last > from { frames.append(.ack(last, multiple: folded > 1)) }
        for tag in acks where tag > floor { frames.append(.ack(tag, multiple: false)) }
        acks.removeAll(keepingCapacity: true)
        return frames
    }

    private mutating func mark(_ tag: UInt64) -> Bool {
        guard tag > floor, tag <= newest else { return false }
        let word = Int(tag / 64 - firstWord)
        while words.count <= word { words.append(0) }
        let bit: UInt64 = 1 << (tag % 64)
        guard words[word] & bit == 0 else { return false }
        words[word] |= bit
        unsettled -= 1
        return true
    }

    private mutating func raiseFloor() {
        while true {
            let next = floor + 1
            let word = Int(next / 64 - firstWord)
            guard word < words.count, words[word] & (1 << (next % 64)) != 0 else { break }
            floor = next
        }
        spent = Int(floor / 64 - firstWord)
        if spent > 64, spent > words.count / 2 {
            words.removeFirst(spent)
            firstWord += UInt64(spent)
            spent = 0
        }
    }
}
