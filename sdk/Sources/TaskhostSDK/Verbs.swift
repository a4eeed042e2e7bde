// The other ways a task may end: thrown, since nothing after them should run.

/// Run this task again later. When the retries are used up the task fails with `MaxRetriesExceededError`.
public struct Retry: Error, Sendable {
    /// Before the next attempt; nil: by the task's retry policy.
    public var after: Duration?
    /// Instead of the policy's bound.
    public var bound: RetryPolicy.Bound?
    /// For logs and the RETRY state.
    public var reason: String?
    /// Instead of a reason: the failure clients see meanwhile, and for good once the retries are used up.
    public var failure: TaskError?
    /// What to call the next attempt with; nil: the same again.
    public var arguments: [JSON]?
    public var keywords: [String: JSON]?
    /// From now on; a later start is not worth it. nil: as the message says.
    public var expires: Duration?
    /// Where the next attempt goes; nil: the queue this one came from.
    public var queue: String?
    /// Of the next attempt, 0…255; nil: as this one.
    public var priority: Int?

    public init(
        after: Duration? = nil, bound: RetryPolicy.Bound? = nil, reason: String? = nil, failure: TaskError? = nil,
        arguments: [JSON]? = nil, keywords: [String: JSON]? = nil, expires: Duration? = nil, queue: String? = nil,
        priority: Int? = nil
    ) {
        self.after = after
        self.bound = bound
        self.reason = reason
        self.failure = failure
        self.arguments = arguments
        self.keywords = keywords
        self.expires = expires
        self.queue = queue
        self.priority = priority
    }
}

/// Let another task, chain, group or chord take this task's place: it gives the result, under this task's id.
public struct Replace: Error, Sendable {
    public var signature: Signature

    public init(with signature: Signature) {
        self.signature = signature
    }
}

/// Give the message back to the broker: to be delivered again at once (`requeue`), or as rejected for good.
public struct Reject: Error, Sendable {
    public var requeue: Bool
    public var reason: String

    public init(requeue: Bool = false, reason: String = "rejected by the task") {
        self.requeue = requeue
        self.reason = reason
    }
}

/// Done, but record nothing: no state, no result.
public struct Ignore: Error, Sendable {
    public init() {}
}
