// The queue and exchanges of remote control, as Celery's workers and clients declare them (celery-protocol.md §2.1).
import TaskModel

enum ControlQueue {
    /// Named after both, as Celery does: fleets with exchanges of their own may have nodes of the same name.
    static func name(of node: String, on controlExchange: String) -> String { "\(node).\(exchange(controlExchange))" }
    static func exchange(_ controlExchange: String) -> String { "\(controlExchange).pidbox" }

    /// Exchanges of remote control are recognised by their names: replies go to a direct one, broadcasts to a fanout.
    /// nil: another exchange, which is not ours to declare.
    static func typeOfExchange(_ name: String) -> String? {
        guard name.hasSuffix(".pidbox") else { return nil }
        return name.hasPrefix("reply.") ? "direct" : "fanout"
    }

    private static let arguments: FieldTable = ["x-expires": .int(10_000), "x-message-ttl": .int(300_000)]

    static func receiver(_ queue: String, on exchange: String) -> ExclusiveQueue {
        ExclusiveQueue(
            name: queue, arguments: arguments, exchange: exchange, exchangeType: "fanout", exchangeIsDurable: false,
            routingKey: "")
    }
}
