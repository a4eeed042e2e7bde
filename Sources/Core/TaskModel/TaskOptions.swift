// What a task may ask for: each option is a field of `TaskOptions` and a row of `TaskOptionTable`.

/// What a task asks for. nil: as the operator says, else as `TaskOptionTable` does.
public struct TaskOptions: Sendable, Equatable {
    /// Seconds from the start.
    public var softLimit: Double?
    public var hardLimit: Double?
    /// Attempts after the first; nil in the enum's sense of "as the operator says".
    public var maxRetries: RetryBound?
    /// Seconds before a retry that names no countdown.
    public var retryDelay: Double?
    /// Seconds; > 0: delay doubles from here with each retry.
    public var retryBackoff: Double?
    public var retryBackoffMax: Double?
    public var retryJitter: Bool?
    /// A failure is retried without the task asking for it.
    public var autoretry: Bool?
    /// Only these are.
    public var autoretryFor: FailureNames?
    /// Not these.
    public var dontAutoretryFor: FailureNames?
    public var acksLate: Bool?
    /// A message whose task failed is acknowledged; if not, it goes to the dead letters.
    public var acksOnFailure: Bool?
    /// A message whose task was killed at its hard limit is acknowledged; if not, it is started again.
    public var acksOnTimeout: Bool?
    /// A message whose child died is started again; if not, that is its failure.
    public var rejectOnWorkerLost: Bool?
    public var trackStarted: Bool?
    public var ignoreResult: Bool?
    /// Failures are stored even when results are ignored.
    public var storeErrorsEvenIfIgnored: Bool?
    /// As an errback it is called with (request, exception, traceback) instead of the failed task's id.
    public var takesFailure: Bool?
    /// Starts that end in a crash before the message is dead-lettered; ≥ 1.
    public var maxStarts: Int?
    /// > 0: one child serves so many tasks in turn; nil or 0: a fresh child for each.
    public var keep: Int?
    /// MiB that its processes may have resident; 0: no limit.
    public var memoryLimit: Int?
    public var queue: String?
    public var rateLimit: String?
    /// Tasks of this name that run at a time.
    public var maxConcurrent: Int?
    /// Whose starts `rateLimit` and `maxConcurrent` count.
    public var limitScope: LimitScope?
    /// The argument by whose value they count: "url", "url:domain", "0".
    public var limitKey: String?
    public var doc: String?

    public init() {}
}

/// Every option, one row each. Reading manifests, `[tasks.NAME]` and the defaults of `[worker]`, `bundles --json`,
/// `inspect registered`, `inspect conf`, `doctor` and the documentation go by it.
public struct TaskOptionTable: Sendable {
    public let softLimit = TaskOption(
        "soft_limit", \.softLimit, .seconds, standard: 0, setting: .init("soft_time_limit", "seconds; 0: none"),
        worker: .init(
            celery: "task_soft_time_limit", environment: ["TASKHOST_SOFT_TIME_LIMIT"],
            "seconds after which a task is asked to stop, unless task or message say otherwise; 0: none"))
    public let hardLimit = TaskOption(
        "hard_limit", \.hardLimit, .seconds, standard: 0, setting: .init("time_limit", "seconds; 0: none"),
        worker: .init(
            celery: "task_time_limit", environment: ["TASKHOST_TIME_LIMIT"],
            "seconds after which a task is killed, unless task or message say otherwise; 0: none"))
    public let maxRetries = TaskOption(
        "max_retries", \.maxRetries, .integer(-1...1_000_000), standard: .atMost(3),
        setting: .init("max_retries", "attempts after the first; -1: no bound"))
    /// Celery's `default_retry_delay`.
    public let retryDelay = TaskOption(
        "retry_delay", \.retryDelay, .seconds, standard: 180, attribute: "default_retry_delay",
        setting: .init("retry_delay", "before a retry that names no countdown"))
    public let retryBackoff = TaskOption(
        "retry_backoff", \.retryBackoff, .seconds, standard: 0,
        setting: .init(
            "retry_backoff", "the delay doubles from here with each retry; failures are retried by themselves"))
    public let retryBackoffMax = TaskOption(
        "retry_backoff_max", \.retryBackoffMax, .seconds, standard: 600,
        setting: .init("retry_backoff_max", "longest delay of a retry by `retry_backoff`"))
    public let retryJitter = TaskOption(
        "retry_jitter", \.retryJitter, .flag, standard: true,
        setting: .init("retry_jitter", "only a random part of the delay of `retry_backoff` is waited"))
    /// Not set: by `retryBackoff` and `autoretryFor`.
    public let autoretry = TaskOption(
        "autoretry", \.autoretry, .flag, standard: false, setting: .init("autoretry", "retry every failure"))
    public let autoretryFor = TaskOption(
        "autoretry_for", \.autoretryFor, .names, standard: FailureNames([]),
        setting: .init(
            "autoretry_for", "only failures of these names are retried by themselves: type, or module.type"))
    public let dontAutoretryFor = TaskOption(
        "dont_autoretry_for", \.dontAutoretryFor, .names, standard: FailureNames([]),
        setting: .init("dont_autoretry_for", "failures of these names are final"))
    public let acksLate = TaskOption(
        "acks_late", \.acksLate, .flag, standard: true, setting: .init("acks_late", "as worker.acks_late"),
        worker: .init(celery: "task_acks_late", "acknowledge when the outcome is recorded"))
    public let acksOnFailure = TaskOption(
        "acks_on_failure", \.acksOnFailure, .flag, standard: true,
        setting: .init("acks_on_failure", "as worker.acks_on_failure"),
        worker: .init(
            celery: "task_acks_on_failure",
            "with acks_late: acknowledge a message whose task failed; false: it goes to the dead letters"))
    public let acksOnTimeout = TaskOption(
        "acks_on_timeout", \.acksOnTimeout, .flag, standard: true,
        setting: .init("acks_on_timeout", "as worker.acks_on_timeout"),
        worker: .init(
            celery: "task_acks_on_timeout",
            "with acks_late: acknowledge a message whose task was killed at its time limit; false: it is started "
                + "again, as often as max_starts allows"))
    public let rejectOnWorkerLost = TaskOption(
        "reject_on_worker_lost", \.rejectOnWorkerLost, .flag, standard: true,
        setting: .init("reject_on_worker_lost", "as worker.reject_on_worker_lost"),
        worker: .init(
            celery: "task_reject_on_worker_lost",
            "start a message again whose child died; false: as max_starts = 1"))
    public let trackStarted = TaskOption(
        "track_started", \.trackStarted, .flag, standard: false,
        setting: .init("track_started", "as worker.track_started"),
        worker: .init(celery: "task_track_started", "store state STARTED"))
    public let ignoreResult = TaskOption(
        "ignore_result", \.ignoreResult, .flag, standard: false,
        setting: .init("ignore_result", "as worker.ignore_result"),
        worker: .init(celery: "task_ignore_result", "store no results"))
    public let storeErrorsEvenIfIgnored = TaskOption(
        "store_errors_even_if_ignored", \.storeErrorsEvenIfIgnored, .flag, standard: false,
        setting: .init("store_errors_even_if_ignored", "as results.store_errors_even_if_ignored"))
    public let takesFailure = TaskOption("takes_failure", \.takesFailure, .flag, standard: false)
    public let maxStarts = TaskOption(
        "max_starts", \.maxStarts, .integer(1...1000), standard: 3,
        setting: .init("max_starts", "as worker.max_starts"),
        worker: .init(celery: nil, "starts that end in a crash before a message is dead-lettered"))
    public let keep = TaskOption(
        "keep", \.keep, .integer(0...1_000_000), standard: 0,
        setting: .init("keep", "one child serves so many in turn; 0: a fresh child for each"))
    public let memoryLimit = TaskOption(
        "memory_limit", \.memoryLimit, .integer(0...16_777_216), standard: 0,
        setting: .init("memory_limit", "as worker.memory_limit"),
        worker: .init(
            celery: nil, environment: ["TASKHOST_MEMORY_LIMIT"],
            "MiB that a task's processes may have resident together, unless the task says otherwise; 0: no limit"))
    public let queue = TaskOption("queue", \.queue, .text, standard: "")
    public let rateLimit = TaskOption(
        "rate_limit", \.rateLimit, .text, standard: "",
        setting: .init("rate_limit", "starts in a time: `10/s`, `100/m`, `1000/h`"))
    public let maxConcurrent = TaskOption(
        "max_concurrent", \.maxConcurrent, .integer(1...1_000_000), standard: 0,
        setting: .init("max_concurrent", "tasks of this name that run at a time, at most", shown: "none"))
    public let limitScope = TaskOption(
        "limit_scope", \.limitScope, .choice(LimitScope.allCases.map(\.rawValue)), standard: .worker,
        setting: .init(
            "limit_scope",
            "whose tasks `rate_limit` and `max_concurrent` count: this worker's, or those of all workers (see shared_limits)",
            shown: LimitScope.worker.rawValue))
    public let limitKey = TaskOption(
        "limit_key", \.limitKey, .text, standard: "",
        setting: .init(
            "limit_key",
            "`rate_limit` and `max_concurrent` count for each value of this argument: its name, or position from 0; "
                + "`url:domain`: by the host in that URL", shown: "none"))
    public let doc = TaskOption("doc", \.doc, .text, standard: "")

    public static let standard = TaskOptionTable()

    /// In the order above.
    public static let rows: [any TaskOptionRow] = Mirror(reflecting: standard).children.compactMap {
        $0.value as? any TaskOptionRow
    }
}
