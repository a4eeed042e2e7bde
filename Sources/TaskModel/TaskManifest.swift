/// What a bundle says of itself when it is loaded. Read from the runner's manifest JSON (keys in snake_case).
public struct BundleManifest: Sendable, Equatable {
    public var name: String
    public var version: String
    public var abiMajor: Int
    public var abiMinor: Int
    /// SDK version and language, e.g. "1.0.0 swift".
    public var sdk: String
    public var tasks: [TaskManifest]
    /// What the bundle wants to be sent at set times.
    public var schedules: [ScheduleManifest]

    public init(
        name: String, version: String, abiMajor: Int, abiMinor: Int, sdk: String, tasks: [TaskManifest],
        schedules: [ScheduleManifest] = []
    ) {
        self.name = name
        self.version = version
        self.abiMajor = abiMajor
        self.abiMinor = abiMinor
        self.sdk = sdk
        self.tasks = tasks
        self.schedules = schedules
    }
}

/// A task to be sent at set times, unless the operator says otherwise.
public struct ScheduleManifest: Sendable, Equatable {
    /// "files.nightly".
    public var name: String
    /// Of any bundle.
    public var task: String
    /// As written; one of this and `every`.
    public var cron: String?
    /// Seconds.
    public var every: Double?
    public var isRelative = false
    public var timezone: String?
    /// JSON texts; nil: empty.
    public var argsJSON: String?
    public var kwargsJSON: String?
    public var queue: String?
    /// "skip", "once" or "all".
    public var missed: String?
    /// Seconds after sending; nil: never.
    public var expires: Double?
    public var priority: Int?

    public init(name: String, task: String) {
        self.name = name
        self.task = task
    }
}

/// One task of a bundle.
public struct TaskManifest: Sendable, Equatable {
    /// Position in the bundle's manifest: how the runner names it.
    public var index: Int
    public var name: String
    public var parameters: [Parameter]
    /// Result type as declared, e.g. "f64"; nil when the bundle does not say.
    public var result: String?
    public var options: TaskOptions

    public init(index: Int, name: String, parameters: [Parameter], result: String?, options: TaskOptions) {
        self.index = index
        self.name = name
        self.parameters = parameters
        self.result = result
        self.options = options
    }

    public struct Parameter: Sendable, Equatable {
        public var name: String
        public var type: String
        /// JSON text of the default; nil: required.
        public var defaultJSON: String?

        public init(name: String, type: String, defaultJSON: String? = nil) {
            self.name = name
            self.type = type
            self.defaultJSON = defaultJSON
        }
    }
}

/// What a task asks for. nil: as the operator says (`WorkerDefaults`).
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
    public var acksLate: Bool?
    /// A message whose task failed is acknowledged; if not, it goes to the dead letters.
    public var acksOnFailure: Bool?
    /// A message whose task was killed at its hard limit is acknowledged; if not, it is started again.
    public var acksOnTimeout: Bool?
    /// A message whose child died is started again; if not, that is its failure.
    public var rejectOnWorkerLost: Bool?
    public var trackStarted: Bool?
    public var ignoreResult: Bool?
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

public enum LimitScope: String, Sendable, Equatable {
    /// This worker's.
    case worker
    /// Those of all workers.
    case global
}

public enum RetryBound: Sendable, Equatable {
    case atMost(Int)
    case unlimited
}
