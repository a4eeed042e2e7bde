public import TaskModel

/// What runs tasks: zygotes, children, their limits' execution. All calls and callbacks on the loop's thread.
public protocol Runner: AnyObject {
    /// Scans the plugins folders and starts zygotes; `RunnerEvents.catalogChanged` follows for each change.
    func connect(events: any RunnerEvents)

    /// The newest healthy bundle's entry for a task name.
    func task(named name: String) -> TaskManifest?

    /// Every file seen, with what came of it.
    var bundles: [BundleReport] { get }

    /// Starts a task in a child. `began` and `finished` follow, in that order, unless it never began:
    /// then only `finished` with `.notStarted` or `.runnerFault`.
    /// `returned`: there is no place for it now; only if it may be returned.
    func start(_ request: StartRequest)

    /// Where runs of the task of this name may go beyond the number of slots, so that a kept child needs not wait for us between
    /// two short tasks.
    func pipeline(for task: String) -> PipelineRoom

    /// Takes the run back if it has not begun, and can still be kept from it: `returned` follows. Harmless otherwise.
    func recall(_ run: RunID)

    /// So many slots from now on. What runs goes on, even if it is more.
    func resize(slots: Int)

    /// The soft limit: a signal the task can act upon. Harmless when the run is over.
    func softStop(_ run: RunID)

    /// Kills the run's whole process tree; `finished` follows with `.hardLimit` or `.terminated`.
    func kill(_ run: RunID, because reason: KillReason)

    /// Nothing more is read from the run's child until it is let go: it sends faster than the broker confirms. Harmless
    /// when the run is over.
    func holdBack(_ run: RunID, _ isHeld: Bool)

    /// Looks at the plugins folders again.
    func rescan()

    /// The version of this bundle that is on trial, or was taken back, serves everything from now on.
    /// - Parameter name: the bundle's own, or its file's. nil: of every bundle that has such a version.
    /// - Returns: a line for each bundle that this changed; nil: there is none of that name.
    func promote(_ name: String?) -> [String]?

    /// The version before serves everything again, and the newer one is not loaded any more.
    func rollBack(_ name: String?) -> [String]?

    /// Ends all zygotes and children; `done` when nothing is left.
    func close(done: @escaping () -> Void)
}

public struct RunID: Sendable, Hashable, CustomStringConvertible {
    public var number: UInt64
    public init(_ number: UInt64) { self.number = number }
    public var description: String { "run \(number)" }
}

/// Runs behind others in kept children.
public struct PipelineRoom: Sendable, Equatable {
    /// How many there are, of all tasks; they take no slot while they lie there.
    public var behind: Int
    /// How many more of the task that was asked for may be started now.
    public var room: Int

    public init(behind: Int, room: Int) {
        self.behind = behind
        self.room = room
    }
}

public enum KillReason: Sendable, Equatable {
    case hardLimit(seconds: Double)
    /// A command, with the signal that it names.
    case terminate(signal: Int32)
    /// The host ends.
    case stop
}

public struct StartRequest: Sendable {
    /// Unique in this process, growing.
    public var run: RunID
    public var taskName: String
    public var id: String
    public var rootID: String?
    public var parentID: String?
    public var groupID: String?
    public var queue: String
    public var retries: Int
    /// Starts including this one.
    public var starts: Int
    public var maxRetries: RetryBound
    /// Seconds; nil: none.
    public var softLimit: Double?
    public var hardLimit: Double?
    public var eta: WallTime?
    public var redelivered: Bool
    /// JSON object of all headers.
    public var headersJSON: [UInt8]
    /// JSON object: the message's properties under their AMQP names ("priority", "reply_to", "app_id" …).
    public var propertiesJSON: [UInt8]
    /// JSON `[args, kwargs, embed]`.
    public var body: [UInt8]
    /// > 0: a child may serve so many tasks in turn; 0: a fresh child.
    public var keep: Int
    /// MiB that the task's processes may have resident together; nil: no limit.
    public var memoryLimit: Int?
    /// What the run's own spans belong to.
    public var trace: TraceContext?
    /// It may have killed a zygote: it runs in one of its own, where nothing else is at its mercy.
    public var alone: Bool
    /// Without a place for it at once it is returned, and not kept until there is one: it may expire or be revoked.
    public var mayReturn: Bool

    public init(
        run: RunID, taskName: String, id: String, rootID: String?, parentID: String?, groupID: String?, queue: String,
        retries: Int, starts: Int, maxRetries: RetryBound, softLimit: Double?, hardLimit: Double?, eta: WallTime?,
        redelivered: Bool, headersJSON: [UInt8], propertiesJSON: [UInt8] = Array("{}".utf8), body: [UInt8], keep: Int,
        memoryLimit: Int? = nil, trace: TraceContext? = nil, alone: Bool = false, mayReturn: Bool = false
    ) {
        self.run = run
        self.taskName = taskName
        self.id = id
        self.rootID = rootID
        self.parentID = parentID
        self.groupID = groupID
        self.queue = queue
        self.retries = retries
        self.starts = starts
        self.maxRetries = maxRetries
        self.softLimit = softLimit
        self.hardLimit = hardLimit
        self.eta = eta
        self.redelivered = redelivered
        self.headersJSON = headersJSON
        self.propertiesJSON = propertiesJSON
        self.body = body
        self.keep = keep
        self.memoryLimit = memoryLimit
        self.trace = trace
        self.alone = alone
        self.mayReturn = mayReturn
    }
}

public protocol RunnerEvents: AnyObject {
    /// The child has begun this run: limits count from here.
    func began(_ run: RunID, pid: Int32)
    /// The task set a state of its own; `meta` is JSON.
    func stateChanged(_ run: RunID, state: String, meta: [UInt8])
    /// A line of the task's own log, or of its stdout and stderr (level nil).
    func said(_ run: RunID, level: LogLevel?, line: String)
    /// The task sends another one, or several: before `finished`, in the order of its calls.
    func sent(_ run: RunID, _ submission: Submission)
    func finished(_ run: RunID, _ report: RunReport)
    /// It has not begun, and never will by this start; nothing else comes of it.
    func returned(_ run: RunID)
    /// A bundle appeared, was replaced, was refused or went away; `Runner.bundles` is up to date.
    func catalogChanged(_ report: BundleReport)
}

/// One file of a plugins folder.
public struct BundleReport: Sendable, Equatable {
    public enum Status: Sendable, Equatable {
        case loading
        case active
        /// It has this part of its bundle's runs, above 0 and below 1; the version before has the others.
        case trial(share: Double)
        /// Its trial went wrong: the version before serves. The sentence names file, figures and fix.
        case rolledBack(String)
        /// A newer version took over; this one finishes what it runs.
        case draining
        /// Not used. The sentence names file, reason and fix.
        case refused(String)
        case gone
    }

    public var path: String
    public var status: Status
    public var manifest: BundleManifest?
    public var zygotePID: Int32?
    /// What a version that is watched has run so far; nil: it is not watched.
    public var watched: RunTally?

    public init(
        path: String, status: Status, manifest: BundleManifest? = nil, zygotePID: Int32? = nil,
        watched: RunTally? = nil
    ) {
        self.path = path
        self.status = status
        self.manifest = manifest
        self.zygotePID = zygotePID
        self.watched = watched
    }
}

/// Ended runs, and those of them that were crashes.
public struct RunTally: Sendable, Equatable {
    public var runs: Int
    public var crashes: Int

    public init(runs: Int = 0, crashes: Int = 0) {
        self.runs = runs
        self.crashes = crashes
    }

    public mutating func note(hasCrashed: Bool) {
        runs += 1
        if hasCrashed { crashes += 1 }
    }

    public static func + (one: RunTally, other: RunTally) -> RunTally {
        RunTally(runs: one.runs + other.runs, crashes: one.crashes + other.crashes)
    }
}
