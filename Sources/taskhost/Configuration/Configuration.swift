import Canvas
import CeleryWire
import Control
import Ports
import TaskModel

/// Everything that was set, in the types the parts want. Made once, from flags, environment, file and defaults.
struct Configuration: Sendable, Equatable {
    var broker: BrokerAddress
    var results: ResultsAddress
    /// RabbitMQ's management API, for doctor.
    var management: String?
    var delayQueueKind = QueueDeclaration.Kind.quorum
    var deadQueueKind = QueueDeclaration.Kind.classic
    /// nil: for ever.
    var resultExpires: Double? = 86_400
    var resultExtended = false
    var storeErrorsEvenIfIgnored = false
    var redisKeyPrefix: String?
    var resultSerializer = ContentType.json
    var resultCompression: Compression?
    var queues: QueueList
    var concurrency: Int
    /// Slots follow demand between these; `concurrency` is not looked at then.
    var autoscale: SlotRange?
    var autoscaleKeep: Double = 30
    var allowsPoolRestart = false
    var nodeName: String
    /// nil: the installation's own folder.
    var plugins: [String]?
    var environmentForBundles: [String] = []
    var isolation = Isolation.asTasksAsk
    var softTimeLimit: Double?
    var timeLimit: Double?
    /// MiB resident; nil: no limit.
    var memoryLimit: Int?
    var maxMemoryPerChildKiB: UInt32?
    var grace: Double = 30
    /// Seconds that running tasks get before a cold stop.
    var softShutdown: Double = 0
    /// Seconds; 0: deliveries are not watched.
    var stallAfter: Double = 30
    var treatsTermAsQuit = false
    var prefetchMultiplier: Int?
    var acksLate = true
    var acksOnFailure = true
    var acksOnTimeout = true
    var rejectOnWorkerLost = true
    var deduplicatesSuccessful = true
    var trackStarted = false
    var ignoreResult = false
    var inheritsPriority = false
    var maxStarts = 3
    /// Events of tasks from the start; `enable_events` turns them on later.
    var sendsTaskEvents = false
    /// Seconds; nil: no events of the worker itself.
    var heartbeat: Double? = 2
    var pidfile: String?
    /// Of remote control on this machine; nil: wherever there is a place for it. "none": without.
    var socket: String?
    /// nil: no metrics are served.
    var metricsPort: UInt16?
    var metricsHost = "127.0.0.1"
    /// Where limits lie that all workers keep together.
    var sharedLimits = SharedLimitsAddress.none
    /// Where revocations and paused queues are kept between runs.
    var stateFile: String?
    var traces = TraceSettings()
    var limits = WireLimits.standard
    /// Serializers, by name.
    var acceptContent = ["json"]
    /// nil: as the message came.
    var taskSerializer: ContentType?
    var taskCompression: Compression?
    var security = SecurityFiles()
    var controlPolicy = ControlPolicy()
    /// Celery's `control_exchange`.
    var controlExchange = "celery"
    /// By queue name; only those with a [queues.NAME] of their own.
    var declarations: [String: QueueDeclaration] = [:]
    /// Where what follows a task is sent, by names of tasks.
    var routes: [Routes.Rule] = []
    /// By task name.
    var tasks: [String: TaskOptions] = [:]
    /// What beat sends.
    var schedules: [ScheduledTask] = []
    /// Who is told what happens to tasks.
    var hooks: [HookSettings] = []

    var slotsAtFirst: Int { autoscale?.least ?? concurrency }

    /// "4", or "2 to 10, as needed".
    var slotsText: String { autoscale.map { "\($0.least) to \($0.most), as needed" } ?? "\(concurrency)" }

    /// How the broker must declare a queue that does not exist.
    func declaration(of queue: String) -> QueueDeclaration { declarations[queue] ?? QueueDeclaration(name: queue) }
}

/// Where spans go.
struct TraceSettings: Sendable, Equatable {
    /// nil: none are made.
    var endpoint: String?
    var sampleRatio = 1.0
    var serviceName = "taskhost"
    /// "Name: value".
    var headers: [String] = []
}

/// Where keys and certificates for signed messages lie.
struct SecurityFiles: Sendable, Equatable {
    var certificateStore: String?
    var key: String?
    var keyPassword: String?
    var certificate: String?
    var digest = "sha256"
}

/// What the operator says about sharing children.
enum Isolation: Sendable, Equatable {
    case asTasksAsk
    case alwaysFresh
    /// Tasks that do not choose share a child, so many in turn.
    case keep(Int)

    init(_ text: String, origin: String) throws(CommandFailure) {
        switch text.trimmed {
        case "fresh": self = .alwaysFresh
        case let word where word.hasPrefix("keep:"):
            guard let count = Int(word.dropFirst(5)), (1...1_000_000).contains(count) else { fallthrough }
            self = .keep(count)
        default:
            throw .configuration(
                "\(origin): no isolation \"\(text)\"", fix: "write `fresh`, or `keep:N` with N from 1 to 1000000")
        }
    }
}
