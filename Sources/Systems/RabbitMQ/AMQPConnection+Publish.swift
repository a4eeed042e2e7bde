// One message to the broker.
import CRabbitMQ
import TaskModel

extension AMQPConnection {
    /// Writes `basic.publish` with its content.
    /// - Parameters:
    ///   - exchange: "": the default one; `key` is then a queue's name.
    ///   - isMandatory: a message that reaches no queue comes back.
    /// - Returns: librabbitmq's status; 0: written. A confirm, if there is to be one, comes later.
    func publish(
        _ message: WireMessage, exchange: String = "", key: String, isMandatory: Bool = true, on channel: UInt16
    ) -> Int32 {
        defer { arena.recycle() }
        var properties = arena.properties(message)
        let (exchange, key) = (arena.bytes(exchange), arena.bytes(key))
        // The body is only read, and not kept.
        return message.body.withUnsafeBytes { raw in
            amqp_basic_publish(
                state, channel, exchange, key, isMandatory ? 1 : 0, 0, &properties,
                amqp_bytes_t(len: raw.count, bytes: UnsafeMutableRawPointer(mutating: raw.baseAddress)))
        }
    }
}
