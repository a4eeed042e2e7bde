// A queue as `active_queues` tells it (celery-protocol.md §5.6).
import CeleryWire
import TaskModel
import TaskhostJSON

enum QueueMap {
    /// - Parameter isPaused: present only then, so that the reply is Celery's otherwise.
    static func json(_ queue: QueueDeclaration, isPaused: Bool) -> JSON {
        let reply = json(queue)
        guard isPaused else { return reply }
        return .object((reply.members ?? []) + [JSONMember(key: "paused", value: true)])
    }

    private static func json(_ queue: QueueDeclaration) -> JSON {
        var arguments: [JSONMember] = queue.arguments.fields.map { field in
            JSONMember(key: field.key, value: JSON(field.value))
        }
        if queue.kind == .quorum, !arguments.contains(where: { $0.key == "x-queue-type" }) {
            arguments.append(JSONMember(key: "x-queue-type", value: "quorum"))
        }
        return [
            "name": .string(queue.name),
            "exchange": [
                "name": .string(queue.exchange ?? queue.name), "type": .string(queue.exchangeType ?? "direct"),
                "arguments": nil, "durable": true, "passive": false, "auto_delete": false, "delivery_mode": nil,
                "no_declare": false,
            ],
            "routing_key": .string(queue.bindingKey),
            "queue_arguments": arguments.isEmpty ? .null : .object(arguments),
            "binding_arguments": nil, "consumer_arguments": nil, "durable": true, "exclusive": false,
            "auto_delete": false, "no_ack": false, "alias": nil, "bindings": [], "no_declare": nil, "expires": nil,
            "message_ttl": nil, "max_length": nil, "max_length_bytes": nil,
            "max_priority": queue.maxPriority.map { .int(Int64($0)) } ?? .null,
        ]
    }
}
