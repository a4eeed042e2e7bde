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

    /// Whether a delivery can become somebody else's while we hold it, and this broker knows (`confirmClaim`,
    /// `Publication.claim`). A tag that is gone with its link (`linkDown`) is somebody else's then.
    var fencesClaims: Bool { get }

    /// Whether this delivery is still ours. At once, unless the lease was not renewed in time.
    func confirmClaim(_ tag: DeliveryTag, done: @escaping (Bool) -> Void)

    /// Whether deliveries tell how many starts of theirs ended with their host (`Delivery.lostStarts`).
    var countsLostStarts: Bool { get }

    /// These start now. Written out before this returns, as far as the system allows, so that it outlives this process;
    /// `done` once that is certain. What is settled needs no word.
    func recordStarts(_ tags: [DeliveryTag], done: @escaping (BrokerFailure?) -> Void)

    /// Sends a message; `done` is called with nil once the broker has confirmed that it holds it.
    /// While the link is down or blocked publications wait; `done` comes when it is decided.
    func publish(_ publication: Publication, done: @escaping (BrokerFailure?) -> Void)

    // ---- for the watch that notices when no messages come ----

    /// How many messages wait that could be delivered now; those that wait for their time do not count. Cheap enough
    /// to be asked every few seconds.
    func deliverable(in queues: [String], done: @escaping (Result<[String: Int], BrokerFailure>) -> Void)
    /// Messages do not come though they should: recreates the consumers, over a new link where there is one. `linkDown`
    /// and `linkUp` follow then.
    func recreateConsumers(because reason: String)

    /// Takes no more; `done` when no further delivery will arrive. What is held stays held.
    func stopConsuming(done: @escaping () -> Void)

    /// Writes out what is owed, then ends the link. Held deliveries go back to their queues, uncharged.
    func close(done: @escaping () -> Void)

    /// What waits for its time in queues, and the soonest of it. Nothing is taken or moved by looking.
    func scheduled(
        _ question: ScheduledQuestion, done: @escaping (Result<ScheduledMessages, BrokerFailure>) -> Void)

    // ---- for the command line ----

    /// Throws away what waits in the queue; the number of messages.
    func purge(queue: String, done: @escaping (Result<Int, BrokerFailure>) -> Void)

    /// Puts what waits here for its time where other software that serves the queue finds it; the number of messages.
    /// Refused while a host of ours serves the queue, as it would only take them back.
    func handOver(queue: String, done: @escaping (Result<Int, BrokerFailure>) -> Void)

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
    /// - Parameter retryInSeconds: infinite: not at all.
    func linkDown(reason: String, retryInSeconds: Double)
    func delivered(_ delivery: Delivery)
    /// Whether there is room for a message with a body of so many bytes. Asked before the body is read, where the
    /// broker announces its size; if not, it is delivered unread (`Delivery.unreadBytes`).
    func mayTake(bodyBytes: Int) -> Bool
    /// Publishing is (no longer) blocked by the broker (memory or disk alarm).
    func blocked(_ reason: String?)
    /// The broker cancelled a consumer (queue deleted, node lost). The adapter consumes again by itself.
    func consumerCancelled(queue: String)
    /// Many more deliveries of this queue are held than the credit asks for, and have been for a while; no more come.
    /// What did not begin may be rejected, so that others can have it.
    func holdsTooMuch(queue: String, credit: Int)
    /// It will not work like this, however often it is tried (access refused, queue with other arguments).
    func fatal(_ failure: BrokerFailure)
    /// One queue will not be consumed like this. The adapter has forgotten it; it may be asked for again.
    func refused(queue: String, _ failure: BrokerFailure)
}

extension BrokerEvents {
    /// For those who take few messages.
    public func mayTake(bodyBytes: Int) -> Bool { true }

    /// For those who settle what they get at once.
    public func holdsTooMuch(queue: String, credit: Int) {}
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
    /// The client that waits for it asks again: sent is enough.
    public var isUnconfirmed = false
    /// Only as long as this delivery is ours, in one step with looking whether it is; else it fails with `claimLost`.
    /// For brokers with `fencesClaims`; others take no notice of it.
    public var claim: DeliveryTag?

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
