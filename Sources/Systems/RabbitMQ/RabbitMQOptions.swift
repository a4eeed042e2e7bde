// What may be tuned about the link to RabbitMQ.
public import TaskModel

public struct RabbitMQOptions: Sendable {
    /// Shown in RabbitMQ's list of connections, followed by the connection's duty.
    public var connectionName = "taskhost"
    /// Asked for; the broker may lower it. Seconds, 0…3600; 0: none. A dead peer is noticed after twice this time.
    public var heartbeatSeconds = 10
    /// For TCP, TLS and login together.
    public var connectTimeoutSeconds = 5.0
    /// For one answer of the broker.
    public var replyTimeoutSeconds = 10.0
    /// How long the broker's side may leave sent bytes unacknowledged before the connection counts as broken.
    public var sendTimeoutSeconds = 20.0
    /// Between two attempts to connect, or to consume.
    public var backoff = Backoff(initial: 0.2, max: 30, jitter: Backoff.upperHalf)
    /// Deliveries held of a queue for which `setCredit` was not called yet.
    public var initialCredit = 1
    /// Unconfirmed publications on the wire at most.
    public var publishWindow = 1000
    /// … and their bodies' bytes; a single larger message goes alone.
    public var publishWindowBytes = 1 << 20
    /// Kind of the queues of Celery's delay ladder when we are the first to declare them
    /// (`broker_native_delayed_delivery_queue_type`).
    public var delayQueueKind = QueueDeclaration.Kind.ofDelayQueues
    /// Kind of `<queue>.dead` when it is missing.
    public var deadQueueKind = QueueDeclaration.Kind.ofDeadLetters
    /// How long `close` waits for what is owed. Less than the engine waits for all links (5 s): those that are closed
    /// after this one, and the runners, end in good order even where the broker cannot be reached.
    public var closeTimeoutSeconds = 4.0
    /// `x-expires` of the queue that results over `rpc://` come to, in seconds.
    public var replyQueueExpiresSeconds = 86400.0

    public init() {}
}
