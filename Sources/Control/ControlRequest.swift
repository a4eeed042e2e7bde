// A broadcast command, understood (celery-wire.md §5.1).
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

struct ControlRequest {
    var method: String
    var arguments: [JSONMember]
    /// Node names; nil or empty: see `pattern`.
    var destination: [String]?
    var pattern: String?
    var matcher: String?
    /// Names the request in its replies.
    var ticket: String?
    var replyTo: ControlReplyAddress?
    /// The sender's mailbox clock; 0 when it says none.
    var clock: UInt64

    init(decoding message: WireMessage) throws(ControlDecodingError) {
        let body = try ControlBody.decode(message)
        guard let method = body["method"]?.text else { throw ControlDecodingError("it names no method") }
        self.method = method
        arguments = body["arguments"]?.members ?? []
        destination = Self.names(body["destination"])
        pattern = body["pattern"]?.text
        matcher = body["matcher"]?.text
        ticket = body["ticket"]?.text
        if let exchange = body["reply_to"]?["exchange"]?.text, let key = body["reply_to"]?["routing_key"]?.text {
            replyTo = ControlReplyAddress(exchange: exchange, routingKey: key)
        }
        clock = ControlBody.clock(message)
    }

    /// A list of names; Python also takes one text, in which it looks for the name.
    private static func names(_ value: JSON?) -> [String]? {
        if let text = value?.text { return [text] }
        return value?.elements?.compactMap(\.text)
    }
}

/// Why a control message was dropped; for the log.
struct ControlDecodingError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

enum ControlBody {
    /// Control messages are small; this holds a `revoke` of thousands of ids.
    static let limits = JSONLimits(maxDepth: 16, maxNodes: 100_000)

    static func decode(_ message: WireMessage) throws(ControlDecodingError) -> JSON {
        let type = message.properties.contentType ?? "application/json"
        guard type == "application/json" else {
            throw ControlDecodingError("content type \(type) is not accepted here (only application/json is)")
        }
        do throws(JSONError) {
            return try JSON(parsing: message.body, limits: limits)
        } catch {
            throw ControlDecodingError("its body is no JSON: \(error)")
        }
    }

    static func clock(_ message: WireMessage) -> UInt64 {
        UInt64(clamping: message.headers["clock"]?.integer ?? 0)
    }

    static func message(_ body: JSON, headers: FieldTable, deliveryMode: UInt8) -> WireMessage {
        var message = WireMessage(headers: headers, body: body.bytes)
        message.properties.contentType = "application/json"
        message.properties.contentEncoding = "utf-8"
        message.properties.priority = 0
        message.properties.deliveryMode = deliveryMode
        return message
    }
}
