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
    /// It is called in children that end by themselves.
    public var hasLastWord = false

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
