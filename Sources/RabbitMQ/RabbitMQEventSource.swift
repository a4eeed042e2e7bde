// Events as a monitor receives them over RabbitMQ: a queue of its own on the topic exchange `celeryev`.
import CRabbitMQ
import Foundation
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
        broker.consumeEvents("\(EventExchange.name).\(UUID().uuidString.lowercased())", for: self)
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
    /// Old events are nobody's: who reads slowly misses some.
    private static let arguments: FieldTable = ["x-message-ttl": .int(5000)]

    /// As Celery's receivers have it, but exclusive: gone with the connection. All declarations are sent at once, over
    /// the channel that will consume; a refusal closes it.
    static func declare(queue: String, _ channel: UInt16, _ connection: AMQPConnection) throws(BrokerFailure) {
        let arena = connection.arena
        defer { arena.recycle() }
        let what = "declaring '\(queue)'"
        try connection.send(
            channel, MethodID.exchangeDeclare,
            amqp_exchange_declare_t(
                ticket: 0, exchange: arena.bytes(name), type: arena.bytes("topic"), passive: 0, durable: 1,
                auto_delete: 0, internal: 0, nowait: 0, arguments: amqp_empty_table),
            what: what)
        try connection.send(
            channel, MethodID.queueDeclare,
            amqp_queue_declare_t(
                ticket: 0, queue: arena.bytes(queue), passive: 0, durable: 0, exclusive: 1, auto_delete: 1, nowait: 0,
                arguments: arena.table(arguments)),
            what: what)
        try connection.send(
            channel, MethodID.queueBind,
            amqp_queue_bind_t(
                ticket: 0, queue: arena.bytes(queue), exchange: arena.bytes(name), routing_key: arena.bytes("#"),
                nowait: 0, arguments: amqp_empty_table),
            what: what)
    }
}
