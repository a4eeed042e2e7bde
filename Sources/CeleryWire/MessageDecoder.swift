// From a delivery to a task message: hostile input ends here.
//
// Headers first (they are decoded already, so only their bounds are checked), then content type and size, then the
// body. A protocol 2 body is only scanned: the child that runs the task is the one to make values of it.
public import TaskModel
import TaskhostJSON

public struct MessageDecoder: Sendable {
    private let accepted: [ContentType]
    private let limits: WireLimits

    /// - Parameters:
    ///   - accept: names or MIME types, as Celery's `accept_content`. Those this version does not read
    ///     (`ContentType.isSpoken`) are refused whether they are listed or not.
    public init(accept: [String] = ["json"], limits: WireLimits = .standard) {
        accepted = accept.compactMap(ContentType.named)
        self.limits = limits
    }

    /// - Parameters:
    ///   - now: for what is only valid for a time (signed bodies will be; none of today's formats is).
    public func decode(_ delivery: Delivery, now: WallTime) throws(WireError) -> TaskMessage {
        let wire = delivery.message
        do throws(WireError) {
            return try decode(wire)
        } catch {
            var failure = error
            failure.context.contentType = wire.properties.contentType
            failure.context.contentEncoding = wire.properties.contentEncoding
            failure.context.taskName = wire.headers["task"]?.text
            failure.context.id = wire.headers["id"]?.text
            throw failure
        }
    }

    private func decode(_ wire: WireMessage) throws(WireError) -> TaskMessage {
        guard wire.body.count <= limits.maxBodyBytes else {
            throw WireError(
                .tooLarge, "a body of \(wire.body.count) bytes, more than \(limits.maxBodyBytes) (max_body_bytes)")
        }
        try HeaderBounds.check(wire.headers, limits)
        var message = TaskMessage(id: "", name: "")
        for field in wire.headers.fields { try message.take(field.key, field.value) }
        message.priority = wire.properties.priority ?? 0
        message.replyTo = wire.properties.replyTo
        message.correlationID = wire.properties.correlationID
        try checkContent(wire.properties)
        try readBody(wire, into: &message)
        guard !message.name.isEmpty else { throw WireError(.notATask, "no header 'task' and no 'task' in the body") }
        guard !message.id.isEmpty else { throw WireError(.missingID, "the message has no task id") }
        return message
    }

    private func checkContent(_ properties: MessageProperties) throws(WireError) {
        let type = properties.contentType ?? ""
        guard let content = ContentType.named(type), accepted.contains(content) else {
            let name = ContentType.named(type)?.name ?? "unknown"
            let told = type.isEmpty ? "no content type" : "untrusted content of type \(name) (\(quoted(type)))"
            throw WireError(.refusedContentType, "Refusing to deserialize \(told)")
        }
        guard content.isSpoken else {
            throw WireError(
                .refusedContentType,
                "content of type \(content.name) (\(quoted(type))) is not read by this version; send json")
        }
        guard let encoding = properties.contentEncoding, encoding != "utf-8" else { return }
        guard ["utf-8", "utf8", "us-ascii", "ascii", "binary", ""].contains(encoding.lowercased()) else {
            throw WireError(.badEncoding, "content encoding \(quoted(encoding)) is not read; send utf-8")
        }
    }

    private func readBody(_ wire: WireMessage, into message: inout TaskMessage) throws(WireError) {
        let first = wire.body.first { $0 > 0x20 }
        switch first {
        case UInt8(ascii: "{"):
            try message.takeBodyMap(wire, limits: limits)
        case UInt8(ascii: "["):
            // Scanned in any case, so that broken JSON is told from JSON that is no task.
            let parts = try message.scanBody(wire.body, limits: limits)
            guard !message.name.isEmpty else { return }
            try message.takeBodyList(wire.body, parts)
        default:
            do throws(JSONError) {
                try JSONScan.validate(wire.body, limits: limits.json)
            } catch {
                throw WireError(body: error)
            }
            guard message.name.isEmpty else {
                throw WireError(.malformedBody, "the body is neither a list nor a map")
            }
        }
    }
}

extension WireError {
    /// The body is not JSON, or not JSON within the bounds.
    init(body error: JSONError) {
        switch error.reason {
        case .badUTF8: self.init(.badEncoding, "the body is not UTF-8 (byte \(error.offset))")
        case .tooDeep: self.init(.tooDeep, "the body is nested too deep (max_depth)")
        case .tooManyNodes: self.init(.tooManyValues, "the body holds too many values (max_nodes)")
        default: self.init(.malformedBody, "the body is not JSON: \(error)")
        }
    }
}
