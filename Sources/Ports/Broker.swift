public import TaskModel

/// Where messages come from and go to. One adapter per system; all calls and callbacks on the loop's thread.
///
/// An adapter keeps its link up by itself (back-off with jitter) and consumes again after a reconnect. It never
/// settles anything on its own: a delivery is acknowledged only by `acknowledge`.
public protocol Broker: AnyObject {
    /// For logs: kind and address without secrets, e.g. "amqp://guest@localhost:5672/".
    var description: String { get }

    /// Begins connecting. `BrokerEvents.linkUp` follows, or `linkDown` with a reason for each failed attempt.
    func connect(events: any BrokerEvents)

    /// Declares what is missing and consumes. Remembered across reconnects. May be called before the link is up.
    func consume(_ queues: [QueueDeclaration])

    /// How many unsettled deliveries of this queue we want to hold at most (≥ 1); 0 pauses it.
    func setCredit(_ credit: Int, queue: String)

    /// Settles. Tags of an earlier link are dropped silently: the broker delivers those messages again.
    /// Written out at the end of the loop's turn, in as few frames as possible.
    func acknowledge(_ tag: DeliveryTag)
    func reject(_ tag: DeliveryTag, requeue: Bool)

    /// Sends a message; `done` is called with nil once the broker has confirmed that it holds it.
    /// While the link is down or blocked publications wait; `done` comes when it is decided.
    func publish(_ publication: Publication, done: @escaping (BrokerFailure?) -> Void)

    // ---- for whoever watches whether messages come ----

    /// How many messages wait that could be delivered now; those that wait for their time do not count. Cheap enough
    /// to be asked every few seconds.
    func deliverable(in queues: [String], done: @escaping (Result<[String: Int], BrokerFailure>) -> Void)
    /// Messages do not come though they should: consumes anew, over a new link where there is one. `linkDown` and
    /// `linkUp` follow then.
    func consumeAnew(because reason: String)

    /// Takes no more; `done` when no further delivery will arrive. What is held stays held.
    func stopConsuming(done: @escaping () -> Void)

    /// Writes out what is owed, then ends the link. Held deliveries go back to their queues, uncharged.
    func close(done: @escaping () -> Void)

    // ---- for the command line ----

    /// Throws away what waits in the queue; the number of messages.
    func purge(queue: String, done: @escaping (Result<Int, BrokerFailure>) -> Void)

    /// How many messages wait, ready to be taken (and where the queue itself holds them, for their time);
    /// a queue that is not there may be left out.
    func depths(of queues: [String], done: @escaping (Result<[String: Int], BrokerFailure>) -> Void)

    /// The dead letters of a queue, oldest first; at most `limit`.
    func deadLetters(of queue: String, limit: Int, done: @escaping (Result<[DeadLetter], BrokerFailure>) -> Void)

    /// Sends dead letters back to where they came from (with fresh counts), or drops them. nil selects all.
    /// The number settled.
    func settleDeadLetters(
        of queue: String, ids: Set<String>?, action: DeadLetterAction,
        done: @escaping (Result<Int, BrokerFailure>) -> Void)
}

public protocol BrokerEvents: AnyObject {
    func linkUp()
    /// The link broke, or could not be made. Everything held is unknown from now on: it will be delivered again.
    func linkDown(reason: String, retryInSeconds: Double)
    func delivered(_ delivery: Delivery)
    /// Publishing is (no longer) blocked by the broker (memory or disk alarm).
    func blocked(_ reason: String?)
    /// The broker cancelled a consumer (queue deleted, node lost). The adapter consumes again by itself.
    func consumerCancelled(queue: String)
    /// It will not work like this, however often it is tried (access refused, queue with other arguments).
    func fatal(_ failure: BrokerFailure)
    /// One queue will not be consumed like this. The adapter has forgotten it; it may be asked for again.
    func refused(queue: String, _ failure: BrokerFailure)
}

extension BrokerEvents {
    /// For those who cannot do without any of their queues.
    public func refused(queue: String, _ failure: BrokerFailure) { fatal(failure) }
}

public struct Publication: Sendable {
    public enum Destination: Sendable, Equatable {
        /// A task queue, declared first if it is missing.
        case queue(QueueDeclaration)
        case exchange(String, routingKey: String)
        /// The dead letters of this queue (exchange `taskhost.dead`, queue `<queue>.dead`).
        case deadLetters(of: String)
    }

    public var destination: Destination
    public var message: WireMessage
    /// > 0: not to be delivered before so many seconds have passed (delay ladder, or a column).
    public var delaySeconds: Double

    public init(destination: Destination, message: WireMessage, delaySeconds: Double = 0) {
        self.destination = destination
        self.message = message
        self.delaySeconds = delaySeconds
    }
}

public struct DeadLetter: Sendable {
    /// The task id, or a name the adapter gives to a message without one.
    public var id: String
    public var queue: String
    public var message: WireMessage

    public init(id: String, queue: String, message: WireMessage) {
        self.id = id
        self.queue = queue
        self.message = message
    }
}

public enum DeadLetterAction: Sendable { case retry, drop }

/// The network's or the broker's fault. `fix` is a sentence for the operator when there is one.
public struct BrokerFailure: Error, Sendable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        case unreachable, accessRefused, notFound, precondition, unroutable, nacked, closed, protocolError, unsupported
    }

    public var code: Code
    public var detail: String
    public var fix: String?

    public init(_ code: Code, _ detail: String, fix: String? = nil) {
        self.code = code
        self.detail = detail
        self.fix = fix
    }

    public var description: String { fix.map { "\(detail). \($0)" } ?? detail }
}
