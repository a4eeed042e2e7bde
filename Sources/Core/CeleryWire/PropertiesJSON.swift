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
        let properties = delivery.message.properties
        let texts: [(StaticString, String?)] = [
            ("content_type", properties.contentType), ("content_encoding", properties.contentEncoding),
            ("correlation_id", properties.correlationID), ("reply_to", properties.replyTo),
            ("expiration", properties.expiration), ("message_id", properties.messageID), ("type", properties.type),
            ("user_id", properties.userID), ("app_id", properties.appID),
        ]
        var room = 256 + delivery.exchange.utf8.count + delivery.routingKey.utf8.count
        for (_, text) in texts { if let text { room += text.utf8.count + 24 } }
        return UnescapedJSON.bytes(room: room) { json in
            json.byte("{")
            func name(_ name: StaticString) {
                json.byte("\"")
                json.word(name)
                json.word("\":")
            }
            for (key, text) in texts {
                guard let text else { continue }
                name(key)
                json.text(text)
                json.byte(",")
            }
            func number(_ key: StaticString, _ value: Int64?) {
                guard let value else { return }
                name(key)
                json.number(value)
                json.byte(",")
            }
            number("priority", properties.priority.map { Int64($0) })
            number("delivery_mode", properties.deliveryMode.map { Int64($0) })
            number("timestamp", properties.timestamp.map { Int64(clamping: $0) })
            json.word("\"delivery_info\":{\"exchange\":")
            json.text(delivery.exchange)
            json.word(",\"routing_key\":")
            json.text(delivery.routingKey)
            json.word(",\"priority\":")
            if let priority = properties.priority { json.number(Int64(priority)) } else { json.word("null") }
            json.word(delivery.redelivered ? ",\"redelivered\":true}}" : ",\"redelivered\":false}}")
        }
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
