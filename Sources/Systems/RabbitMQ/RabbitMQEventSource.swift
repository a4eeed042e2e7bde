// Events as a monitor receives them over RabbitMQ: a queue of its own on the topic exchange `celeryev`.
public import Ports
public import TaskModel

/// Comes over the consuming connection of its broker, again after each reconnect. On the loop.
public final class RabbitMQEventSource: EventSource {
    private let broker: RabbitMQBroker
    private var listening: (() -> Void)?
    private var sink: ((WireMessage) -> Void)?

    public init(broker: RabbitMQBroker) { self.broker = broker }

    public func open(listening: @escaping () -> Void, received: @escaping (WireMessage) -> Void) {
        self.listening = listening
        sink = received
        broker.consumeEvents("\(EventExchange.name).\(UUIDText.random())", for: self)
    }

    public func close() {
        listening = nil
        sink = nil
    }

    func received(_ message: WireMessage) { sink?(message) }

    func isReceiving() {
        listening?()
        listening = nil
    }
}

extension EventExchange {
    /// Old events are dropped: a slow reader misses some.
    private static let arguments: FieldTable = ["x-message-ttl": .int(5000)]

    /// As Celery's receivers have it, but exclusive.
    static func receiver(_ queue: String) -> ExclusiveQueue {
        ExclusiveQueue(
            name: queue, arguments: arguments, exchange: name, exchangeType: "topic", exchangeIsDurable: true,
            routingKey: "#")
    }
}
