// `[queues.NAME]` and `[routes.PATTERN]`.
public import TaskModel

public struct QueueKeys: SettingsSection {
    public let type = Key<QueueDeclaration.Kind?>(
        "queues.*.type", .choice(["classic", "quorum"]), default: nil, shown: "as it is, else classic",
        "queue type, when we are the first to declare it"
    ) { (kind: String) in .init(rawValue: kind) }
    public let maxPriority = Key<Int?>(
        "queues.*.max_priority", .integer(1...255), default: nil,
        "`x-max-priority`")
    public let exchange = Key<String?>(
        "queues.*.exchange", .text, default: nil, shown: "the queue's name",
        "exchange it is bound to, likewise; with RabbitMQ only")
    public let exchangeType = Key<String?>(
        "queues.*.exchange_type", .choice(["direct", "topic", "fanout", "headers"]), default: nil, shown: "direct",
        "type of that exchange (`task_default_exchange_type`): topic, where clients let RabbitMQ delay")
    public let routingKey = Key<String?>(
        "queues.*.routing_key", .text, default: nil, shown: "the queue's name",
        "key of that binding, and of delayed messages")
    public let deadLetterExchange = Key<String?>(
        "queues.*.dead_letter_exchange", .text, default: nil,
        "`x-dead-letter-exchange`: rejected messages go there, by the broker")
    public let arguments = Key<FieldTable>(
        "queues.*.arguments", .arguments, default: [:],
        "further arguments of the declaration")
}

public struct RouteKeys: SettingsSection {
    public let queue = Key<String?>(
        "routes.*.queue", .text, default: nil,
        "where such tasks are sent")
    public let exchange = Key<String?>(
        "routes.*.exchange", .text, default: nil,
        "in place of a queue, with `routing_key`; declared by somebody else")
    public let routingKey = Key<String?>(
        "routes.*.routing_key", .text, default: nil,
        "of messages to that exchange")
}
