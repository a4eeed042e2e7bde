// A broadcast command, understood (celery-protocol.md §5.1).
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

struct ControlRequest {
    /// As a whole.
    var body: JSON
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
    /// How it was written; a reply is written likewise.
    var type: ContentType
    /// By somebody whose certificate we know.
    var isSigned: Bool { type == .auth }

    init(_ content: ControlContent, of message: WireMessage) throws(ControlDecodingError) {
        body = content.body
        type = content.type
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
