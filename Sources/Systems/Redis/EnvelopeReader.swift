// An envelope read in one go: a tree of it would cost more than all the rest of its way through the host.
import TaskModel
import TaskhostJSON

/// Of keys that come twice the last counts, as for Python.
struct EnvelopeReader {
    private var properties = MessageProperties()
    private var headers = FieldTable()
    /// As it is written: how it is encoded is among the properties, which come later.
    private var body: JSONReader.Text?
    private var isBase64 = false
    private var hasProperties = false
    private var (exchange, routingKey) = ("", "")
    private var tag: String?

    static func read(_ bytes: [UInt8]) throws(RedisEnvelope.Unreadable) -> RedisEnvelope {
        let outcome: Result<RedisEnvelope, RedisEnvelope.Unreadable>
        do throws(JSONError) {
            outcome = try JSONReader.read(bytes, limits: RedisEnvelope.limits) { text throws(JSONError) in
                var reader = EnvelopeReader()
                try text.object { text, key throws(JSONError) in try reader.take(key, &text) }
                return reader.made()
            }
        } catch {
            throw .noJSON(error)
        }
        return try outcome.get()
    }

    private mutating func take(_ key: JSONReader.Text, _ text: inout JSONReader) throws(JSONError) {
        if key.isEqual(to: "body") {
            body = try text.text()
        } else if key.isEqual(to: "content-encoding") {
            properties.contentEncoding = try text.text()?.wholeString
        } else if key.isEqual(to: "content-type") {
            properties.contentType = try Self.common(text.text())
        } else if key.isEqual(to: "headers") {
            headers = try KombuFields.table(&text)
        } else if key.isEqual(to: "properties") {
            try takeProperties(&text)
        } else {
            try text.skip()
        }
    }

    private mutating func takeProperties(_ text: inout JSONReader) throws(JSONError) {
        (isBase64, exchange, routingKey, tag) = (false, "", "", nil)
        var found = MessageProperties()
        found.contentType = properties.contentType
        found.contentEncoding = properties.contentEncoding
        properties = found
        hasProperties = try text.object { text, key throws(JSONError) in try takeProperty(key, &text) }
    }

    private mutating func takeProperty(_ key: JSONReader.Text, _ text: inout JSONReader) throws(JSONError) {
        if key.isEqual(to: "correlation_id") {
            properties.correlationID = try text.text()?.wholeString
        } else if key.isEqual(to: "reply_to") {
            properties.replyTo = try text.text()?.wholeString
        } else if key.isEqual(to: "delivery_mode") {
            properties.deliveryMode = try text.value().integer.map { UInt8(clamping: $0) }
        } else if key.isEqual(to: "delivery_info") {
            try takeInfo(&text)
        } else if key.isEqual(to: "priority") {
            properties.priority = try text.value().integer.map { UInt8(clamping: $0) }
        } else if key.isEqual(to: "body_encoding") {
            isBase64 = try text.text()?.isEqual(to: "base64") ?? false
        } else if key.isEqual(to: "delivery_tag") {
            tag = try text.text()?.wholeString
        } else if key.isEqual(to: "expiration") {
            properties.expiration = try text.text()?.wholeString
        } else if key.isEqual(to: "message_id") {
            properties.messageID = try text.text()?.wholeString
        } else if key.isEqual(to: "timestamp") {
            properties.timestamp = try text.value().integer.flatMap { UInt64(exactly: $0) }
        } else if key.isEqual(to: "type") {
            properties.type = try text.text()?.wholeString
        } else if key.isEqual(to: "user_id") {
            properties.userID = try text.text()?.wholeString
        } else if key.isEqual(to: "app_id") {
            properties.appID = try text.text()?.wholeString
        } else {
            try text.skip()
        }
    }

    private mutating func takeInfo(_ text: inout JSONReader) throws(JSONError) {
        (exchange, routingKey) = ("", "")
        try text.object { text, key throws(JSONError) in
            if key.isEqual(to: "exchange") {
                exchange = try text.text()?.wholeString ?? ""
            } else if key.isEqual(to: "routing_key") {
                routingKey = try text.text()?.wholeString ?? ""
            } else {
                try text.skip()
            }
        }
    }

    private func made() -> Result<RedisEnvelope, RedisEnvelope.Unreadable> {
        // Only a string that Swift can hold is a body.
        guard hasProperties, let body, !body.hasEscapes || body.wholeString != nil else {
            return .failure(RedisEnvelope.Unreadable(reason: "the envelope has no properties or no body"))
        }
        guard let bytes = isBase64 ? Self.decoded(body) : body.string.bytes else {
            return .failure(RedisEnvelope.Unreadable(reason: "the body is no base64"))
        }
        let message = WireMessage(properties: properties, headers: headers, body: bytes)
        return .success(RedisEnvelope(message, exchange: exchange, routingKey: routingKey, tag: tag))
    }

    private static func decoded(_ body: JSONReader.Text) -> [UInt8]? {
        body.hasEscapes ? Base64.decode(body.string, filler: .anything) : Base64.decode(body.raw, .anything)
    }

    private static let json = "application/json"

    /// Nearly all messages have the same.
    private static func common(_ text: JSONReader.Text?) -> String? {
        guard let text else { return nil }
        return text.isEqual(to: "application/json") ? json : text.wholeString
    }
}
