// What AMQP can carry. The library writes longer things wrongly, so they are refused before it sees them.
import Ports
import TaskModel

enum PublicationCheck {
    /// The route and why the publication cannot be sent, if so.
    static func failure(_ message: WireMessage, exchange: String, routingKey: String, frameMax: Int) -> BrokerFailure? {
        let properties = message.properties
        let shorts = [
            properties.contentType, properties.contentEncoding, properties.correlationID, properties.replyTo,
            properties.expiration, properties.messageID, properties.type, properties.userID, properties.appID,
            exchange, routingKey,
        ]
        if shorts.contains(where: { ($0?.utf8.count ?? 0) > 255 }) {
            return BrokerFailure(.unsupported, "a name or property of the message is longer than AMQP's 255 bytes")
        }
        guard let size = size(of: message.headers) else {
            return BrokerFailure(.unsupported, "a header's name is longer than AMQP's 128 bytes")
        }
        // RabbitMQ closes the whole connection over one.
        if let name = message.headers.fields.first(where: { !isFinite($0.value) })?.key {
            return BrokerFailure(
                .unsupported, "the header \(name.debugDescription) holds a number that is not finite",
                fix: "Leave NaN and infinities to the task's arguments")
        }
        // All properties travel in one frame; a generous share is left for those other than headers.
        if size > frameMax - 4096 {
            return BrokerFailure(
                .unsupported, "the message's headers take \(size) bytes, more than one frame of \(frameMax) can carry",
                fix: "Put large data into the task's arguments, not into its headers")
        }
        return nil
    }

    private static func isFinite(_ value: FieldValue) -> Bool {
        switch value {
        case .double(let number): number.isFinite
        case .array(let values): values.allSatisfy(isFinite)
        case .table(let table): table.fields.allSatisfy { isFinite($0.value) }
        default: true
        }
    }

    private static func size(of table: FieldTable) -> Int? {
        var total = 4
        for field in table.fields {
            guard field.key.utf8.count <= 128, let value = size(of: field.value) else { return nil }
            total += 1 + field.key.utf8.count + value
        }
        return total
    }

    private static func size(of value: FieldValue) -> Int? {
        switch value {
        case .null: return 1
        case .bool: return 2
        case .int, .double, .timestamp: return 9
        case .string(let text): return 5 + text.utf8.count
        case .bytes(let bytes): return 5 + bytes.count
        case .table(let table): return size(of: table).map { $0 + 1 }
        case .array(let values):
            var total = 5
            for value in values {
                guard let size = size(of: value) else { return nil }
                total += size
            }
            return total
        }
    }
}
