// What the operator sets for the engine. Where the values come from is not its matter; nor are the operator's defaults:
// what is not filled in here is off, unbounded or empty.
public import Canvas
public import CeleryWire
public import Ports
public import TaskModel

/// A queue we serve, and how it stands to the others.
public struct QueuePreference: Sendable, Equatable {
    public var declaration: QueueDeclaration
    /// nil: served in the order of the list. With a share, starts are dealt out in proportion (≥ 1).
    public var share: Int?

    public init(declaration: QueueDeclaration, share: Int? = nil) {
        self.declaration = declaration
        self.share = share
    }
}

public struct EngineOptions: Sendable {
    /// Tasks run at a time, to begin with; ≥ 1.
    public var slots: Int
    /// Between these the slots follow demand; nil: they change by command only.
    public var autoscale: SlotRange?
    /// How long slots must have been too many until they are taken away, seconds.
    public var autoscaleKeepSeconds: Double = 0
    /// Whether remote control may have the bundles reloaded.
    public var allowsPoolRestart = false
    /// Earlier ones are preferred, unless they have shares.
    public var queues: [QueuePreference]
    /// `name@host`, as results and dead letters name this worker.
    public var nodeName: String
    /// What running tasks get to finish after the first TERM, seconds.
    public var graceSeconds: Double = 0
    /// What they get before a cold stop, seconds; 0: nothing.
    public var softStopSeconds: Double = 0
    /// For how long messages may be ready and slots free without a delivery, seconds; 0: that is not watched.
    public var stallSeconds: Double = 0
    /// What holds for tasks that do not say otherwise; nil: as `TaskOptionTable` says.
    public var defaults = TaskOptions()
    /// A fresh child for each task, whatever its manifest asks for.
    public var alwaysFresh = false
    /// By task name; fields that are set win over the bundle's manifest.
    public var overrides: TaskOverrides = [:]
    /// How much work may be prefetched, in seconds of the present rate: small enough that priorities hold.
    public var prefetchSeconds: Double = 0.1
    /// Bounds of the same, in messages per queue.
    public var maxPrefetch = 256
    /// The same per slot; wins.
    public var prefetchPerSlot: Int?
    /// Messages due later than this are kept by the broker. Seconds.
    public var etaHoldSeconds: Double = 60
    /// Bytes of all messages in flight, about; one that is larger than half of it comes on top.
    public var maxHeldBytes = Int.max
    /// Messages kept here until they are due; others are kept by the broker until then.
    public var maxWaiting = Int.max
    /// Bytes of results and continuations from which on what follows a task is made beside the loop; messages are
    /// decoded there from eight times as many on, or from a quarter of it where they are not plain JSON.
    public var longBytes = 128 << 10
    /// How long stores keep a result, seconds; nil: for ever.
    public var resultExpiresSeconds: Double?
    /// Results carry name, arguments, worker and queue as well (Celery's `result_extended`).
    public var resultExtended = false
    /// A redelivered message whose task has succeeded already is not run again.
    public var deduplicatesSuccessful = false
    /// Failures are stored even when the task's results are ignored.
    public var storeErrorsEvenIfIgnored = false
    /// Runs get spans of their own, this part of them when their messages belong to no trace (0…1); nil: none do, and
    /// the trace of a message is passed on as it came.
    public var traceSampleRatio: Double?
    /// Headers that what follows a task has as the task's own message had them.
    public var carriedHeaders: [String] = []
    /// Content types accepted, by serializer name or MIME type.
    public var acceptContent: [String] = []
    /// What the log says to do about a task that nobody here has.
    public var unknownTaskHint =
        "No loaded bundle has it: `taskhost bundles` lists what is loaded; a Celery app is served with -A APP."
    public var wireLimits = WireLimits()
    /// What reads and writes bodies that are not plain JSON.
    public var formats: any BodyFormats = PlainJSON()
    /// How continuations go out; nil: as the message came that they continue.
    public var taskSerializer: ContentType?
    public var taskCompression: Compression?
    /// Where continuations, callbacks and what tasks send go. By default to the first queue served.
    public var routes: Routes
    /// Results of what is published here are to be sent there, unless its sender said something else.
    public var replyTo: String
    /// "gen<pid>@<host>", as the sender of what is published here.
    public var origin: String
    /// Continuations get the priority of the task they follow.
    public var inheritsPriority = false
    /// Of two messages that wait here the one with the lower number goes first, as kombu's Redis transport has it;
    /// otherwise the higher, as AMQP has it.
    public var lowestPriorityFirst = false
    /// Seed of retry jitter; the same seed gives the same delays.
    public var seed: UInt64 = 0

    public init(slots: Int, queues: [QueuePreference], nodeName: String) {
        self.slots = max(1, slots)
        self.queues = queues
        self.nodeName = nodeName
        routes = Routes(defaultQueue: queues.first?.declaration.name ?? "celery")
        replyTo = TaskCall.newID()
        origin = nodeName
    }
}
