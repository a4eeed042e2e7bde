// A message that a task has made itself, with a client library of its own (`taskhost_host.publish`).
public import CeleryWire
public import TaskModel
import TaskhostJSON

public struct PreparedMessage: Sendable {
    /// Never `.routed`.
    public var target: CanvasCall.Target
    /// The queue that is the target, as its sender would declare it.
    public var queue: QueueDeclaration?
    public var message: WireMessage
    /// Not to be started before so many seconds have passed; 0: at once.
    public var dueInSeconds: Double

    /// - Parameter json: see `taskhost_host.publish`.
    public init(_ json: [UInt8], now: WallTime) throws(CanvasError) {
        let document: JSON
        do throws(JSONError) {
            document = try JSON(parsing: json, limits: .trusted)
        } catch {
            throw CanvasError("the message is not JSON: \(error)")
        }
        guard let body = Base64.decode(document["body"]?.text ?? "") else {
            throw CanvasError("the body of the message is no base64")
        }
        message = WireMessage(
            properties: Self.properties(document["properties"] ?? .null), headers: Self.table(document["headers"]),
            body: body)
        let (exchange, key) = (document["exchange"]?.text ?? "", document["routing_key"]?.text ?? "")
        // The default exchange is how one names a queue.
        target = exchange.isEmpty ? .queue(key) : .exchange(exchange, routingKey: key)
        if exchange.isEmpty, let declared = document["queue"] { queue = Self.queue(key, declared) }
        let eta = message.headers["eta"]?.text.flatMap(ISO8601.parse)
        dueInSeconds = max(0, eta?.seconds(since: now) ?? 0)
    }

    /// Empty: an exchange is the target.
    public var targetQueue: String { if case .queue(let name) = target { name } else { "" } }

    /// Where remote control, its replies and our own dead letters go: the host has more rights than the task, and what
    /// lies there is obeyed. nil: it goes elsewhere.
    public var reservedPlace: String? {
        let name =
            switch target {
            case .queue(let name), .exchange(let name, _): name
            case .routed: ""
            }
        return name.hasSuffix(".pidbox") || name == "taskhost.dead" ? name : nil
    }

    /// The task that it calls; nil: it is none of Celery's task messages.
    public var call: CanvasCall? {
        guard let name = message.headers["task"]?.text, let id = message.headers["id"]?.text else { return nil }
        return CanvasCall(name, id: id, target, message, dueInSeconds: dueInSeconds)
    }

    private static func table(_ json: JSON?) -> FieldTable {
        guard let json, case .table(let table) = FieldValue(json) else { return [:] }
        return table
    }

    private static func properties(_ json: JSON) -> MessageProperties {
        var properties = MessageProperties()
        properties.contentType = json["content_type"]?.text
        properties.contentEncoding = json["content_encoding"]?.text
        properties.correlationID = json["correlation_id"]?.text
        properties.replyTo = json["reply_to"]?.text
        properties.priority = json["priority"]?.integer.map { UInt8(clamping: $0) }
        properties.deliveryMode = json["delivery_mode"]?.integer.map { UInt8(clamping: $0) }
        properties.expiration = json["expiration"]?.text
        properties.messageID = json["message_id"]?.text
        properties.timestamp = json["timestamp"]?.integer.map { UInt64(clamping: $0) }
        properties.type = json["type"]?.text
        properties.userID = json["user_id"]?.text
        properties.appID = json["app_id"]?.text
        return properties
    }

    private static func queue(_ name: String, _ json: JSON) -> QueueDeclaration {
        var arguments = table(json["arguments"])
        let kind = arguments["x-queue-type"]?.text.flatMap(QueueDeclaration.Kind.init(rawValue:))
        if kind != nil { arguments["x-queue-type"] = nil }
        let most = arguments["x-max-priority"]?.integer.map { Int(clamping: $0) }
        arguments["x-max-priority"] = nil
        return QueueDeclaration(name: name, kind: kind, maxPriority: most, arguments: arguments)
    }
}
