// Options of a client beside its addresses.
import FoundationEssentials

public struct ClientOptions: Sendable {
    /// Where tasks go that name no queue (Celery's task_default_queue).
    public var defaultQueue = "celery"
    /// How long the broker may take to confirm a message before `send` gives up; nil: as long as it takes.
    public var sendTimeout: Duration? = .seconds(10)
    /// Before every Redis key of a result (Celery's global_keyprefix); empty: none.
    public var redisKeyPrefix = ""
    /// The exchange on which workers listen for orders (Celery's control_exchange).
    public var controlExchange = "celery"
    /// `name@host`: who sends, as messages say it.
    public var origin = "swift\(ProcessInfo.processInfo.processIdentifier)@\(ProcessInfo.processInfo.hostName)"

    public init() {}
}
