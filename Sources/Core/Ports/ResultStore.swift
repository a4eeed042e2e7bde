public import TaskModel

/// Where results are kept. All calls and callbacks on the loop's thread.
///
/// Rules of every store: a stored SUCCESS is never overwritten (such a `store` succeeds and changes nothing), save
/// for `rpc://`, which keeps nothing; a store keeps its link up by itself and `store` waits for it.
public protocol ResultStore: AnyObject {
    var description: String { get }

    func connect(events: any ResultStoreEvents)

    /// Whether what is stored can be fetched by anybody, at any time until it expires.
    var keepsResults: Bool { get }

    /// `done` with nil once the record outlives us.
    func store(_ record: ResultRecord, done: @escaping (StoreFailure?) -> Void)

    /// The stored meta document, or nil: nothing known.
    func fetch(_ taskID: String, done: @escaping (Result<[UInt8]?, StoreFailure>) -> Void)

    /// Calls `changed` with each meta document stored from now on, and with the present one first, if there is one.
    /// To be called before the task is sent, so that nothing is missed.
    func follow(_ taskID: String, changed: @escaping ([UInt8]) -> Void) -> any ResultSubscription

    func forget(_ taskID: String, done: @escaping (StoreFailure?) -> Void)

    /// The `reply_to` to put on messages whose results should come to this client; nil: the store needs none.
    var replyTo: String? { get }

    func close(done: @escaping () -> Void)
}

extension ResultStore {
    public var keepsResults: Bool { true }
}

public protocol ResultSubscription: AnyObject {
    func cancel()
}

public protocol ResultStoreEvents: AnyObject {
    func storeUp()
    func storeDown(reason: String, retryInSeconds: Double)
}

public struct ResultRecord: Sendable {
    public var taskID: String
    public var state: TaskState
    /// The meta document (celery-protocol.md §4.1), encoded by the result serializer.
    public var meta: [UInt8]
    /// Of the message that asked for it; `rpc://` answers there.
    public var replyTo: String?
    public var correlationID: String?
    /// Seconds until the store may forget it; nil: never.
    public var expiresAfterSeconds: Double?

    public init(
        taskID: String, state: TaskState, meta: [UInt8], replyTo: String?, correlationID: String?,
        expiresAfterSeconds: Double?
    ) {
        self.taskID = taskID
        self.state = state
        self.meta = meta
        self.replyTo = replyTo
        self.correlationID = correlationID
        self.expiresAfterSeconds = expiresAfterSeconds
    }
}
