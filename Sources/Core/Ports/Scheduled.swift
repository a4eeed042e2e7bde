// What waits in the broker for its time: the messages a broker keeps back until they are due.
public import TaskModel

public struct ScheduledQuestion: Sendable {
    public enum Asker: Sendable, Equatable {
        /// A client that looks from outside gets all there is.
        case client
        /// Of several hosts that are asked at about the same time one tells of a queue's messages, the others of none:
        /// monitors add up what workers say. With `ids` each tells what it finds.
        case host
    }

    public var asker: Asker
    public var queues: [String]
    /// Only messages with one of these ids, or with one of them as their root; nil: all.
    public var ids: Set<String>?
    /// Messages listed in full, at most.
    public var limit: Int

    /// - Parameter limit: the soonest so many.
    public init(asker: Asker, queues: [String], ids: Set<String>? = nil, limit: Int = 100) {
        self.asker = asker
        self.queues = queues
        self.ids = ids
        self.limit = limit
    }
}

public struct ScheduledMessages: Sendable {
    /// How many are known to wait, by queue.
    public var counts: [String: Int]
    /// How many wait at this broker in all, where it cannot tell queues apart; nil: `counts` says everything.
    public var inAllQueues: Int?
    /// The soonest of them, soonest first.
    public var next: [ScheduledMessage]

    public init(counts: [String: Int] = [:], inAllQueues: Int? = nil, next: [ScheduledMessage] = []) {
        self.counts = counts
        self.inAllQueues = inAllQueues
        self.next = next
    }
}

public struct ScheduledMessage: Sendable {
    /// When it joins its queue. What its sender asked for stands in its header `eta`, and may be later.
    public var due: WallTime
    /// As it will be delivered; its tag means nothing.
    public var delivery: Delivery

    public init(
        due: WallTime, queue: String, exchange: String = "", routingKey: String? = nil, redelivered: Bool = false,
        message: WireMessage
    ) {
        self.due = due
        delivery = Delivery(
            tag: DeliveryTag(link: 0, number: 0), queue: queue, exchange: exchange, routingKey: routingKey ?? queue,
            redelivered: redelivered, message: message)
    }
}
