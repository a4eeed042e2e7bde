// A message's properties as JSON, for the child.
public import TaskModel
import TaskhostJSON

public enum PropertiesJSON {
    /// A JSON object of the properties that are set, under their AMQP names, with `delivery_info` as Celery's workers
    /// know it.
    public static func bytes(_ delivery: Delivery) -> [UInt8] {
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
