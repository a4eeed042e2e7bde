// A message's properties as JSON, for the child.
public import TaskModel
import TaskhostJSON

public enum PropertiesJSON {
    /// A JSON object of the properties that are set, under their AMQP names, with `delivery_info` as Celery's workers
    /// know it.
    public static func bytes(_ delivery: Delivery) -> [UInt8] {
        plain(delivery) ?? any(delivery)
    }

    /// nil: something of it needs an escape.
    private static func plain(_ delivery: Delivery) -> [UInt8]? {
        UnescapedJSON.bytes(room: { room(delivery) }, { $0.properties(of: delivery) })
    }

    private static func room(_ delivery: Delivery) -> Int {
        let properties = delivery.message.properties
        let texts = [
            properties.contentType, properties.contentEncoding, properties.correlationID, properties.replyTo,
            properties.expiration, properties.messageID, properties.type, properties.userID, properties.appID,
            delivery.exchange, delivery.routingKey,
        ]
        return texts.reduce(512) { $0 + ($1?.utf8.count ?? 0) }
    }

    private static func any(_ delivery: Delivery) -> [UInt8] {
        let properties = delivery.message.properties
        var members: [JSONMember] = []
        func add(_ name: String, _ value: JSON?) {
            if let value { members.append(JSONMember(key: name, value: value)) }
        }
        add("content_type", properties.contentType.map { .string($0) })
        add("content_encoding", properties.contentEncoding.map { .string($0) })
        add("correlation_id", properties.correlationID.map { .string($0) })
        add("reply_to", properties.replyTo.map { .string($0) })
        add("priority", properties.priority.map { .int(Int64($0)) })
        add("delivery_mode", properties.deliveryMode.map { .int(Int64($0)) })
        add("expiration", properties.expiration.map { .string($0) })
        add("message_id", properties.messageID.map { .string($0) })
        add("timestamp", properties.timestamp.map { .int(Int64(clamping: $0)) })
        add("type", properties.type.map { .string($0) })
        add("user_id", properties.userID.map { .string($0) })
        add("app_id", properties.appID.map { .string($0) })
        add(
            "delivery_info",
            .object([
                JSONMember(key: "exchange", value: .string(delivery.exchange)),
                JSONMember(key: "routing_key", value: .string(delivery.routingKey)),
                JSONMember(key: "priority", value: properties.priority.map { .int(Int64($0)) } ?? .null),
                JSONMember(key: "redelivered", value: .bool(delivery.redelivered)),
            ]))
        return JSON.object(members).bytes
    }
}

extension UnescapedJSON {
    fileprivate mutating func properties(of delivery: Delivery) {
        byte("{")
        member("\"content_type\":", delivery.message.properties.contentType)
        member("\"content_encoding\":", delivery.message.properties.contentEncoding)
        member("\"correlation_id\":", delivery.message.properties.correlationID)
        member("\"reply_to\":", delivery.message.properties.replyTo)
        member("\"expiration\":", delivery.message.properties.expiration)
        member("\"message_id\":", delivery.message.properties.messageID)
        member("\"type\":", delivery.message.properties.type)
        member("\"user_id\":", delivery.message.properties.userID)
        member("\"app_id\":", delivery.message.properties.appID)
        let priority = delivery.message.properties.priority.map { Int64($0) }
        member("\"priority\":", number: priority)
        member("\"delivery_mode\":", number: delivery.message.properties.deliveryMode.map { Int64($0) })
        member("\"timestamp\":", number: delivery.message.properties.timestamp.map { Int64(clamping: $0) })
        word("\"delivery_info\":{\"exchange\":")
        text(delivery.exchange)
        word(",\"routing_key\":")
        text(delivery.routingKey)
        word(",\"priority\":")
        if let priority { number(priority) } else { word("null") }
        word(delivery.redelivered ? ",\"redelivered\":true}}" : ",\"redelivered\":false}}")
    }

    /// - Parameter name: with quotes and colon.
    private mutating func member(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        word(name)
        text(value)
        byte(",")
    }

    private mutating func member(_ name: StaticString, number value: Int64?) {
        guard let value else { return }
        word(name)
        number(value)
        byte(",")
    }
}
