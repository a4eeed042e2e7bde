// A message as kombu's Redis transport writes it into a list (celery-protocol.md §7.2).
import TaskModel
import TaskhostJSON

/// Between a `WireMessage` and its envelope.
struct RedisEnvelope {
    /// Not an envelope; a sentence.
    struct Unreadable: Error {
        let reason: String

        static func noJSON(_ error: JSONError) -> Unreadable {
            Unreadable(reason: "the envelope is no JSON: \(error)")
        }
    }

    var message: WireMessage
    var exchange: String
    var routingKey: String
    /// Redis has handed it out before.
    var redelivered = false
    /// Starts of it that ended with their host.
    var lostStarts = 0
    /// The publisher's name for it: fresh for each message.
    var tag: String

    init(_ message: WireMessage, exchange: String = "", routingKey: String) {
        self.message = message
        self.exchange = exchange
        self.routingKey = routingKey
        tag = UUIDText.random()
    }

    var bytes: [UInt8] {
        let properties = message.properties
        var members: [JSONMember] = []
        func add(_ key: String, _ value: JSON?) {
            if let value { members.append(JSONMember(key: key, value: value)) }
        }
        add("correlation_id", properties.correlationID.map(JSON.string))
        add("reply_to", properties.replyTo.map(JSON.string))
        add("delivery_mode", .int(Int64(properties.deliveryMode ?? 2)))
        add("expiration", properties.expiration.map(JSON.string))
        add("message_id", properties.messageID.map(JSON.string))
        add("timestamp", properties.timestamp.map { .int(Int64(clamping: $0)) })
        add("type", properties.type.map(JSON.string))
        add("user_id", properties.userID.map(JSON.string))
        add("app_id", properties.appID.map(JSON.string))
        let info: [(String, JSON)] = [("exchange", .string(exchange)), ("routing_key", .string(routingKey))]
        add("delivery_info", .object(info.map { JSONMember(key: $0.0, value: $0.1) }))
        add("priority", .int(Int64(properties.priority ?? 0)))
        add("body_encoding", .string("base64"))
        add("delivery_tag", .string(tag))
        let envelope: [(String, JSON)] = [
            ("body", .string(Base64.encode(message.body))),
            ("content-encoding", properties.contentEncoding.map(JSON.string) ?? .null),
            ("content-type", properties.contentType.map(JSON.string) ?? .null),
            ("headers", KombuFields.json(message.headers)),
            ("properties", .object(members)),
        ]
        return JSON.object(envelope.map { JSONMember(key: $0.0, value: $0.1) }).bytes
    }

    init(parsing bytes: [UInt8]) throws(Unreadable) {
        self = try EnvelopeReader.read(bytes)
    }

    /// - Parameter message: with the marks of the envelope among its headers; they are taken out of it.
    init(_ message: WireMessage, exchange: String, routingKey: String, tag: String?) {
        self.message = message
        self.exchange = exchange
        self.routingKey = routingKey
        self.tag = tag ?? UUIDText.random()
        // The delivery has it; a message that is sent on must not.
        if let mark = message.headers["redelivered"] {
            redelivered = mark == .bool(true)
            self.message.headers["redelivered"] = nil
        }
        if let mark = message.headers[OwnHeaders.lostStarts] {
            if case .int(let count) = mark { lostStarts = Int(clamping: max(0, count)) }
            self.message.headers[OwnHeaders.lostStarts] = nil
        }
    }

    static func parse(_ bytes: [UInt8]) throws(Unreadable) -> JSON {
        do {
            return try JSON(parsing: bytes, limits: limits)
        } catch {
            throw .noJSON(error)
        }
    }

    /// The envelope of a message that goes back to its queue; everything else stays as it is.
    /// - Parameter isLostStart: it had started, and its host has gone.
    static func marked(_ envelope: JSON, isLostStart: Bool) -> [UInt8] {
        func set(_ key: String, in object: JSON?, to value: JSON) -> JSON {
            var members = (object?.members ?? []).filter { $0.key != key }
            members.append(JSONMember(key: key, value: value))
            return .object(members)
        }
        guard let members = envelope.members else { return envelope.bytes }
        let lost = max(0, envelope["headers"]?[OwnHeaders.lostStarts]?.integer ?? 0)
        return JSON.object(
            members.map { member in
                switch member.key {
                case "headers":
                    var headers = set("redelivered", in: member.value, to: .bool(true))
                    if isLostStart {
                        headers = set(OwnHeaders.lostStarts, in: headers, to: .int(min(lost, 1 << 20) + 1))
                    }
                    return JSONMember(key: "headers", value: headers)
                case "properties":
                    let info = set("redelivered", in: member.value["delivery_info"], to: .bool(true))
                    return JSONMember(key: "properties", value: set("delivery_info", in: member.value, to: info))
                default: return member
                }
            }
        ).bytes
    }

    /// The list step of a message (celery-protocol.md §7.3): 0 is served first.
    static func step(of envelope: JSON) -> Int { RedisQueueKeys.step(envelope["properties"]?["priority"]?.integer) }

    // Python's clients show arguments in a header, and what is no Unicode in them.
    static let limits = JSONLimits(maxDepth: 64, maxNodes: 100_000, keepsSurrogates: true)
}
