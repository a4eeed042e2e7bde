// What a task asks of its host.

/// Everything left out is as the operator says.
public struct TaskOptions: Sendable {
    /// What clients call; nil: as a `TaskDeclaration` says, else bundle name, dot, the type's name in snake case
    /// ("images.resize_all").
    public var name: String?
    /// From the start; then the task is asked to stop (`TaskContext.shouldStop`, cancellation). Above zero.
    public var softLimit: Duration?
    /// From the start; then its processes are killed. Above zero.
    public var hardLimit: Duration?
    /// Which failures are tried again, and when.
    public var retry: RetryPolicy?
    /// Above 0: one child process may serve so many tasks in turn; nil or 0: a fresh process for each.
    public var keep: Int?
    /// True: the message is settled when the outcome is recorded; false: before the start.
    public var acksLate: Bool?
    /// False: the message of a task that failed goes to the dead letters.
    public var acksOnFailure: Bool?
    /// False: a task killed at its hard limit is started again, as often as `maxStarts` allows.
    public var acksOnTimeout: Bool?
    /// False: the death of its process is the task's failure, at once; as `maxStarts: 1`.
    public var rejectOnWorkerLost: Bool?
    /// Record STARTED.
    public var trackStarted: Bool?
    /// Record no result.
    public var ignoreResult: Bool?
    /// True: failures are recorded even if results are not.
    public var storeErrorsEvenIfIgnored: Bool?
    /// A sentence or two for `taskhost bundles`.
    public var doc: String?
    /// Where clients without a route of their own should send it.
    public var queue: String?
    /// "10/s", "100/m", "1000/h".
    public var rateLimit: String?
    /// Starts that end in a crash before the message is dead-lettered; at least 1.
    public var maxStarts: Int?
    /// As an errback this task takes (request, exception, traceback), and leaves no result; nil or false: it takes
    /// the failed task's id.
    public var takesFailure: Bool?
    /// MiB that the task's processes may have resident together; above it they are killed. nil or 0: no limit.
    public var memoryLimit: Int?
    /// Tasks of this name that run at a time; nil or 0: as many as there are slots for.
    public var maxConcurrent: Int?
    /// Whose tasks `rateLimit` and `maxConcurrent` count; nil: each worker's own.
    public var limitScope: LimitScope?
    /// They count for each value of this argument: "url", or its position, "0"; "url:domain": for each host in that
    /// URL. nil: for all together.
    public var limitKey: String?

    public enum LimitScope: String, Sendable {
        /// Each worker's own.
        case worker
        /// Those of all workers together.
        case global
    }

    /// When it is sent by itself.
    public var schedules: [TaskSchedule]

    public init(
        name: String? = nil, softLimit: Duration? = nil, hardLimit: Duration? = nil, retry: RetryPolicy? = nil,
        keep: Int? = nil, acksLate: Bool? = nil, trackStarted: Bool? = nil, ignoreResult: Bool? = nil,
        doc: String? = nil, queue: String? = nil, rateLimit: String? = nil, maxStarts: Int? = nil,
        takesFailure: Bool? = nil, acksOnFailure: Bool? = nil, acksOnTimeout: Bool? = nil,
        rejectOnWorkerLost: Bool? = nil, memoryLimit: Int? = nil, maxConcurrent: Int? = nil,
        limitScope: LimitScope? = nil, limitKey: String? = nil, schedules: [TaskSchedule] = [],
        storeErrorsEvenIfIgnored: Bool? = nil
    ) {
        self.name = name
        self.softLimit = softLimit
        self.hardLimit = hardLimit
        self.retry = retry
        self.keep = keep
        self.acksLate = acksLate
        self.trackStarted = trackStarted
        self.ignoreResult = ignoreResult
        self.doc = doc
        self.queue = queue
        self.rateLimit = rateLimit
        self.maxStarts = maxStarts
        self.takesFailure = takesFailure
        self.acksOnFailure = acksOnFailure
        self.acksOnTimeout = acksOnTimeout
        self.rejectOnWorkerLost = rejectOnWorkerLost
        self.memoryLimit = memoryLimit
        self.maxConcurrent = maxConcurrent
        self.limitScope = limitScope
        self.limitKey = limitKey
        self.schedules = schedules
        self.storeErrorsEvenIfIgnored = storeErrorsEvenIfIgnored
    }
}

extension TaskOptions {
    /// In any order: `TaskOptions { $0.doc = "Greets."; $0.softLimit = .seconds(5) }`.
    public init(_ set: (inout TaskOptions) -> Void) {
        self.init()
        set(&self)
    }
}

/// How often and when a task is tried again.
public struct RetryPolicy: Sendable, Equatable {
    /// Attempts after the first.
    public enum Bound: Sendable, Equatable {
        case never
        case atMost(Int)
        case unlimited
    }

    public var bound: Bound
    /// Before a retry that names no time of its own; nil: 180 s.
    public var delay: Duration?
    /// Not nil: every failure is retried by itself, after `backoff`, 2 × `backoff`, 4 × `backoff` …
    public var backoff: Duration?
    /// The longest of those delays; nil: 600 s.
    public var longest: Duration?
    /// Take a random part of the delay, so that many failures at once don't return at once; nil: yes.
    public var jitter: Bool?
    /// Only failures of these names are retried by themselves: "TimeoutError", "myapp.errors.Busy". nil: all of them
    /// where there is a `backoff`, else none.
    public var automaticallyFor: [String]?
    /// Failures of these names are final.
    public var neverFor: [String] = []

    /// Not even when the task throws `Retry`.
    public static let never = RetryPolicy(bound: .never)

    /// When the task throws `Retry`, so many times.
    public static func atMost(_ times: Int, delay: Duration? = nil) -> RetryPolicy {
        RetryPolicy(bound: times > 0 ? .atMost(times) : .never, delay: delay)
    }

    /// When the task throws `Retry`, without end.
    public static func unlimited(delay: Duration? = nil) -> RetryPolicy {
        RetryPolicy(bound: .unlimited, delay: delay)
    }

    /// The same policy for failures of some names only: `.backoff().only(for: ["TimeoutError"])`. Without a `backoff`
    /// they are retried by themselves after `delay`.
    public func only(for names: [String]) -> RetryPolicy {
        var copy = self
        copy.automaticallyFor = names
        return copy
    }

    /// The same policy, with failures of some names final: `.backoff().except(for: ["ValueError"])`.
    public func except(for names: [String]) -> RetryPolicy {
        var copy = self
        copy.neverFor = names
        return copy
    }

    /// Every failure, after a delay that doubles each time. `maxRetries` nil: without end.
    public static func backoff(
        maxRetries: Int? = 3, first: Duration = .seconds(1), longest: Duration? = nil, jitter: Bool? = nil
    ) -> RetryPolicy {
        let bound: Bound =
            switch maxRetries {
            case nil: .unlimited
            case .some(let times): times > 0 ? .atMost(times) : .never
            }
        return RetryPolicy(bound: bound, backoff: first, longest: longest, jitter: jitter)
    }
}
