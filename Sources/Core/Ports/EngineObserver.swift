// What the engine reports to observers: events, metrics, hooks, traces. Observing changes nothing.
public import TaskModel

/// Told on the loop's thread, in the order in which things happened; must not take long.
public protocol EngineObserver: AnyObject {
    func observed(_ event: TaskEvent, of task: ObservedTask)
}

/// An outcome is reported once, when it is recorded and its message settled: observers find the result stored.
public enum TaskEvent: Sendable {
    /// Decoded, known and not revoked; it may still have to wait.
    case received
    /// A child works on it.
    case started(pid: Int32)
    /// JSON.
    case succeeded(result: [UInt8])
    /// Final. A task that is unknown here fails with `NotRegistered`.
    case failed(TaskFailure)
    /// Told when that is recorded, before the next attempt can begin.
    case retried(afterSeconds: Double, cause: TaskFailure?)
    /// - signal: what its child was sent; nil unless it was running.
    case revoked(signal: Int32?, hasExpired: Bool)
    /// By the task itself, or because its message cannot be read.
    case rejected(requeue: Bool)
    case ignored
    /// Another signature gives its result.
    case replaced
    /// Its child died. It starts again, or a `failed` follows.
    case crashed(Death, starts: Int, of: Int)
    case reachedSoftLimit(seconds: Double)
    /// Killed with everything it had started; `failed` follows.
    case reachedHardLimit(seconds: Double, swept: Int)
    case deadLettered(reason: String)
    /// It ran when the worker stopped, and goes back to its queue.
    case requeuedAtStop
}

/// A message as watchers see it at the moment of the event.
public struct ObservedTask: Sendable {
    public var id: String
    public var name: String
    /// Its shadow, or the same.
    public var displayName: String
    /// Python's notation, cut short.
    public var argsRepr: String
    public var kwargsRepr: String
    public var rootID: String?
    public var parentID: String?
    public var groupID: String?
    /// Attempts made before this one.
    public var retries: Int
    /// As the message has them, ISO 8601.
    public var etaText: String?
    public var expiresText: String?
    public var queue: String
    public var routingKey: String
    public var headers: FieldTable
    /// When its message came into our hands.
    public var receivedAt: WallTime
    /// When it became free to start: neither waiting for its eta nor for a rate.
    public var readyAt: WallTime?
    public var beganAt: WallTime?
    /// Of the start that ended.
    public var usage: Usage?
    /// From its start on; nil: its message belongs to no trace.
    public var trace: RunTrace?

    public init(
        id: String, name: String, displayName: String, argsRepr: String, kwargsRepr: String, rootID: String?,
        parentID: String?, groupID: String?, retries: Int, etaText: String?, expiresText: String?, queue: String,
        routingKey: String, headers: FieldTable, receivedAt: WallTime, readyAt: WallTime?, beganAt: WallTime?,
        usage: Usage?, trace: RunTrace? = nil
    ) {
        self.id = id
        self.name = name
        self.displayName = displayName
        self.argsRepr = argsRepr
        self.kwargsRepr = kwargsRepr
        self.rootID = rootID
        self.parentID = parentID
        self.groupID = groupID
        self.retries = retries
        self.etaText = etaText
        self.expiresText = expiresText
        self.queue = queue
        self.routingKey = routingKey
        self.headers = headers
        self.receivedAt = receivedAt
        self.readyAt = readyAt
        self.beganAt = beganAt
        self.usage = usage
        self.trace = trace
    }
}
