// The other ways a task may end: thrown, since nothing after them should run.

/// Run this task again later. When the retries are used up the task fails with `MaxRetriesExceededError`.
public struct Retry: Error, Sendable {
    /// Before the next attempt; nil: by the task's retry policy.
    public var after: Duration?
    /// Instead of the policy's bound.
    public var bound: RetryPolicy.Bound?
    /// For logs and the RETRY state.
    public var reason: String?

    public init(after: Duration? = nil, bound: RetryPolicy.Bound? = nil, reason: String? = nil) {
        self.after = after
        self.bound = bound
        self.reason = reason
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
