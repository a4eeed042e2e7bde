// What remote control asks of the engine and may have it do: `Control` speaks the protocol, the engine conforms.
public import TaskModel

/// All calls on the loop's thread; each answers at once. Effects (stores, kills) follow in their own time.
public protocol EngineControl: AnyObject {
    /// `name@host`.
    var nodeName: String { get }

    // ---- looking ----

    /// Every unacknowledged message, in the order of arrival.
    var inFlightTasks: [InFlightTask] { get }
    /// Messages that wait in the broker for their time, of the queues consumed here; the soonest first. Answers in its
    /// own time, within a second: with nothing when the broker cannot tell.
    /// - Parameter ids: only these tasks, and those whose root they are; nil: all, each by one of the workers.
    func laterTasks(_ ids: Set<String>?, limit: Int, done: @escaping (LaterTasks) -> Void)
    /// Tasks of the loaded bundles, by whatever order; builtins are not among them.
    var registeredTasks: [TaskManifest] { get }
    /// Every version of every bundle that was seen, with what came of it.
    var bundles: [BundleReport] { get }
    /// Queues consumed now.
    var consumedQueues: [QueueDeclaration] { get }
    /// Those of them that are paused, in the order of their names.
    var pausedQueues: [String] { get }
    /// Ids revoked here, oldest first; expired ones left out.
    var revokedTaskIDs: [String] { get }
    var figures: EngineFigures { get }
    /// It takes nothing more, and leaves when what runs is over.
    var isStopping: Bool { get }

    // ---- watching ----

    /// From now on it observes what happens to tasks.
    func add(observer: any EngineObserver)
    func remove(observer: any EngineObserver)

    // ---- acting ----

    /// Remembers the ids as revoked. An id not active here is looked up in the store and marked REVOKED as
    /// celery-protocol.md §5.7 says.
    /// - Parameter terminate: also send this signal to the child of each active one of these ids.
    /// - Returns: the ids that we hold and that were asked to end; empty without `terminate`.
    func revoke(_ taskIDs: [String], terminate signal: Int32?) -> [String]

    /// Remembers the stamps (values add up) and, with a signal, ends active tasks that carry one of them.
    /// - Returns: of the ended tasks, by stamp's name: the values that matched.
    func revoke(stamps: [RevokedStamp], terminate signal: Int32?) -> [RevokedStamp]

    /// Ids another worker knows as revoked, oldest first: remembered, nothing else.
    func mergeRevoked(_ taskIDs: [String])

    /// - Parameter limit: "10/m", "2.5" (per second) …; nil, "" or "0": none.
    func setRateLimit(_ limit: String?, task: String) throws(ControlRefusal)

    /// Replaces both limits, in seconds; nil: none.
    func setTimeLimits(soft: Double?, hard: Double?, task: String) throws(ControlRefusal)

    /// Consumes from this queue, too; one that is consumed already stays as it is.
    func addConsumer(_ queue: QueueDeclaration)
    /// Takes no more from this queue; what is held of it is finished.
    func cancelConsumer(queue: String)

    /// Takes nothing from this queue until it is resumed; what is held of it and has not begun goes back, uncharged.
    func pause(queue: String) -> QueuePauseAnswer
    func resume(queue: String) -> QueuePauseAnswer

    /// So many slots more, or fewer; what runs goes on. Refused while the slots follow demand.
    func changeSlots(by change: Int) throws(ControlRefusal)

    /// - Parameters:
    ///   - max: nil: as it is, and likewise `min`; unless the other one leaves no choice.
    /// - Returns: what holds now.
    func setAutoscale(max: Int?, min: Int?) throws(ControlRefusal) -> SlotRange

    /// Looks at the bundles again: those that changed get new children.
    func restartPool() throws(ControlRefusal)

    /// As `Runner` has them.
    func promote(bundle: String?) -> [String]?
    func rollBack(bundle: String?) -> [String]?

    /// As the first TERM does: takes no more, finishes what runs, leaves.
    func shutDown()

    /// Calls back once what must outlive a restart is written down as it is now, or cannot be; at once if nothing of it
    /// has to be written.
    func whenMemoryIsKept(_ done: @escaping () -> Void)
}

public enum QueuePauseAnswer: Sendable, Equatable {
    case done
    /// It is so already.
    case already
    case notConsumed
}

public enum ControlRefusal: Error, Sendable, Equatable {
    case unknownTask
    /// The limit is no number with an optional unit; the text is what could not be read as a number.
    case invalidRate(String)
    /// Neither s, m nor h.
    case unknownUnit(String)
    /// The slots follow demand.
    case autoscales
    /// They do not.
    case notAutoscaling
    /// The operator does not allow restarts.
    case restartsDisabled
}

/// Bounds of slots that follow demand.
public struct SlotRange: Sendable, Equatable {
    /// What a number of slots may be.
    public static let bounds = 1...4096

    public var min: Int
    public var max: Int

    public init(min: Int, max: Int) {
        self.min = min
        self.max = max
    }
}

/// A whole workflow among revoked ids: every task whose root has this id, whenever it comes. As an id like any other it
/// travels the way of the others: in orders, in greetings between workers, in what outlives a restart.
public enum RevokedWorkflow {
    private static let prefix = "workflow:"

    public static func id(root: String) -> String { prefix + root }

    /// nil: it is the id of a task.
    public static func root(of id: String) -> String? {
        id.hasPrefix(prefix) ? String(id.dropFirst(prefix.count)) : nil
    }
}

public struct RevokedStamp: Sendable, Equatable {
    public var name: String
    public var values: [String]

    public init(name: String, values: [String]) {
        self.name = name
        self.values = values
    }
}

/// A message in the engine's hands, as monitors see it (celery-protocol.md §5.3).
public struct InFlightTask: Sendable {
    public enum Phase: Sendable, Equatable {
        /// Waits for its eta.
        case scheduled
        /// Waits for a slot or a rate limit.
        case reserved
        /// A child works on it; since when, and in which process.
        case active(since: WallTime, pid: Int32)
        /// Its outcome is being recorded.
        case ready
    }

    public var phase: Phase
    public var id: String
    /// Task's name.
    public var name: String
    /// Its shadow, or the same.
    public var displayName: String
    /// JSON list and JSON object; parts of the message's body, which is not copied for it.
    public var args: ArraySlice<UInt8>
    public var kwargs: ArraySlice<UInt8>
    /// Python's notation, cut short.
    public var argsRepr: String
    public var kwargsRepr: String
    public var eta: WallTime?
    public var exchange: String
    public var routingKey: String
    public var priority: UInt8
    public var redelivered: Bool
    /// Settled with the broker already (early acknowledgement).
    public var isAcknowledged: Bool
    /// Seconds; nil: none.
    public var softLimit: Double?
    public var hardLimit: Double?
    /// What it has said last, of its log or output; cut short.
    public var lastLine: String?

    public init(
        phase: Phase, id: String, name: String, displayName: String, args: ArraySlice<UInt8>,
        kwargs: ArraySlice<UInt8>, argsRepr: String,
        kwargsRepr: String, eta: WallTime?, exchange: String, routingKey: String, priority: UInt8, redelivered: Bool,
        isAcknowledged: Bool, softLimit: Double? = nil, hardLimit: Double? = nil, lastLine: String? = nil
    ) {
        self.phase = phase
        self.id = id
        self.name = name
        self.displayName = displayName
        self.args = args
        self.kwargs = kwargs
        self.argsRepr = argsRepr
        self.kwargsRepr = kwargsRepr
        self.eta = eta
        self.exchange = exchange
        self.routingKey = routingKey
        self.priority = priority
        self.redelivered = redelivered
        self.isAcknowledged = isAcknowledged
        self.softLimit = softLimit
        self.hardLimit = hardLimit
        self.lastLine = lastLine
    }
}

/// What waits in the broker for its time.
public struct LaterTasks: Sendable {
    public struct Entry: Sendable {
        public var task: InFlightTask
        public var queue: String
        public var rootID: String?

        public init(task: InFlightTask, queue: String, rootID: String?) {
            self.task = task
            self.queue = queue
            self.rootID = rootID
        }
    }

    /// How many, by queue.
    public var counts: [String: Int]
    /// The soonest of them.
    public var next: [Entry]

    public init(counts: [String: Int] = [:], next: [Entry] = []) {
        self.counts = counts
        self.next = next
    }
}

public struct EngineFigures: Sendable, Equatable {
    /// Tasks started since our own start, by task name (Celery's `total`).
    public var received: [String: Int]
    /// Tasks run at a time.
    public var slots: Int
    /// Unsettled messages we want to hold at most, of all queues together.
    public var credit: Int
    /// Limits of tasks that have none of their own, seconds.
    public var softLimit: Double?
    public var hardLimit: Double?
    /// Tasks a child serves in turn; 0: a fresh child for each.
    public var tasksPerChild: Int
    /// nil: the slots do not follow demand.
    public var autoscale: SlotRange?
    /// Messages that want a slot, or have one.
    public var inHand: Int
    /// Tasks that a child works on now.
    public var running: Int
    /// Unacknowledged messages.
    public var held: Int
    public var isLinkUp: Bool
    /// Starts so far; of a queue that none came from nothing.
    public var startsByQueue: [String: Int]
    /// Ended tasks that wait to be recorded, once something there has failed or takes long; 0: all is well.
    public var owed: Int
    /// So many that no more is taken for it. The last reason.
    public var owesTooMuch: Bool
    public var owedBecause: String

    public init(
        received: [String: Int], slots: Int, credit: Int, softLimit: Double?, hardLimit: Double?, tasksPerChild: Int,
        autoscale: SlotRange? = nil, inHand: Int = 0, running: Int = 0, held: Int = 0, isLinkUp: Bool = false,
        startsByQueue: [String: Int] = [:], owed: Int = 0, owesTooMuch: Bool = false, owedBecause: String = ""
    ) {
        self.received = received
        self.slots = slots
        self.credit = credit
        self.softLimit = softLimit
        self.hardLimit = hardLimit
        self.tasksPerChild = tasksPerChild
        self.autoscale = autoscale
        self.inHand = inHand
        self.running = running
        self.held = held
        self.isLinkUp = isLinkUp
        self.startsByQueue = startsByQueue
        self.owed = owed
        self.owesTooMuch = owesTooMuch
        self.owedBecause = owedBecause
    }
}
