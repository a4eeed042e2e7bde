// The queue and exchanges of remote control, as Celery's workers and clients declare them (celery-wire.md §2.1).
import CRabbitMQ
import Ports
import TaskModel

enum ControlQueue {
    static func name(of node: String) -> String { "\(node).celery.pidbox" }
    static func exchange(_ controlExchange: String) -> String { "\(controlExchange).pidbox" }

    /// Exchanges of remote control are told by their names: replies go to a direct one, broadcasts to a fanout.
    /// nil: another exchange, which is not ours to declare.
    static func typeOfExchange(_ name: String) -> String? {
        guard name.hasSuffix(".pidbox") else { return nil }
        return name.hasPrefix("reply.") ? "direct" : "fanout"
    }

    private static let arguments: FieldTable = ["x-expires": .int(10_000), "x-message-ttl": .int(300_000)]

    /// Sends all declarations at once, over the channel that will consume: answers come in this order, and a refusal
    /// closes the channel before anything is consumed.
    static func declare(
        _ queue: String, on exchange: String, _ channel: UInt16, _ connection: AMQPConnection
    ) throws(BrokerFailure) {
        let arena = connection.arena
        defer { arena.recycle() }
        let what = "declaring '\(queue)'"
        try connection.send(
            channel, MethodID.exchangeDeclare,
            amqp_exchange_declare_t(
                ticket: 0, exchange: arena.bytes(exchange), type: arena.bytes("fanout"), passive: 0, durable: 0,
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
                ticket: 0, queue: arena.bytes(queue), exchange: arena.bytes(exchange), routing_key: amqp_empty_bytes,
                nowait: 0, arguments: amqp_empty_table),
            what: what)
    }
}
