// A queue of our own on an exchange that everybody speaks to: remote control's and that of events.
import CRabbitMQ
import Ports
import TaskModel

/// Gone with the connection.
struct ExclusiveQueue {
    var name: String
    var arguments: FieldTable
    var exchange: String
    var exchangeType: String
    var exchangeIsDurable: Bool
    var routingKey: String

    /// Exchange, queue and binding. Sends all declarations at once, over the channel that will consume: answers come in
    /// this order, and a refusal closes the channel before anything is consumed.
    func declare(_ channel: UInt16, _ connection: AMQPConnection) throws(BrokerFailure) {
        let arena = connection.arena
        defer { arena.recycle() }
        let what = "declaring '\(name)'"
        try connection.send(
            channel, MethodID.exchangeDeclare,
            amqp_exchange_declare_t(
                ticket: 0, exchange: arena.bytes(exchange), type: arena.bytes(exchangeType), passive: 0,
                durable: exchangeIsDurable ? 1 : 0, auto_delete: 0, internal: 0, nowait: 0,
                arguments: amqp_empty_table),
            what: what)
        try connection.send(
            channel, MethodID.queueDeclare,
            amqp_queue_declare_t(
                ticket: 0, queue: arena.bytes(name), passive: 0, durable: 0, exclusive: 1, auto_delete: 1, nowait: 0,
                arguments: arena.table(arguments)),
            what: what)
        try connection.send(
            channel, MethodID.queueBind,
            amqp_queue_bind_t(
                ticket: 0, queue: arena.bytes(name), exchange: arena.bytes(exchange),
                routing_key: arena.bytes(routingKey), nowait: 0, arguments: amqp_empty_table),
            what: what)
    }
}
