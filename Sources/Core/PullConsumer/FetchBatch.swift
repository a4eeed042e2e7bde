// What one question to a system asks for, and what it is sent about messages that are done with.

/// Messages of several queues, asked for at once. The adapter notes what came in its requests.
public struct FetchBatch: Sendable {
    public var requests: [FetchRequest]
    /// As many as are asked for, used for nothing else: each message gets one.
    public let numbers: Range<UInt64>
    /// The link of which it was asked; messages of an earlier one are not ours any more.
    public let link: UInt32
}

public struct FetchRequest: Sendable {
    /// Index among the consumer's queues.
    public let queue: Int
    /// At most so many messages.
    public let limit: Int
    public var received = 0
    /// Their size ended it, not their number: there may be more.
    public var isCut = false

    init(queue: Int, limit: Int) {
        self.queue = queue
        self.limit = limit
    }
}

/// By handle, in the order of settling.
public struct Settlements: Sendable, Equatable {
    public internal(set) var acknowledged: [Int64] = []
    public internal(set) var requeued: [Int64] = []

    public var isEmpty: Bool { acknowledged.isEmpty && requeued.isEmpty }
}
