// A queue as `active_queues` tells it (celery-wire.md §5.6).
import TaskModel
import TaskhostJSON

enum QueueMap {
    /// - Parameter isPaused: told only then, so that the reply is Celery's otherwise.
    static func json(_ queue: QueueDeclaration, isPaused: Bool) -> JSON {
        let reply = json(queue)
        guard isPaused else { return reply }
        return .object((reply.members ?? []) + [JSONMember(key: "paused", value: true)])
    }

    private static func json(_ queue: QueueDeclaration) -> JSON {
        var arguments: [JSONMember] = queue.arguments.fields.compactMap { field in
            plain(field.value).map { JSONMember(key: field.key, value: $0) }
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

    /// Arguments of queues are texts, numbers and flags.
    private static func plain(_ value: FieldValue) -> JSON? {
        switch value {
        case .null: .null
        case .bool(let flag): .bool(flag)
        case .int(let number): .int(number)
        case .double(let number): .double(number)
        case .string(let text): .string(text)
        default: value.text.map { .string($0) }
        }
    }
}
