// From a delivery to a task message: hostile input ends here.
//
// Headers first (they are decoded already, so only their bounds are checked), then content type and size, then the
// body. A protocol 2 body is only scanned: the child that runs the task is the one to make values of it.
public import TaskModel
package import TaskhostJSON

public struct MessageDecoder: Sendable {
    private let accepted: [ContentType]
    let limits: WireLimits
    private let formats: any BodyFormats

    /// - Parameters:
    ///   - accept: names or MIME types, as Celery's `accept_content`. pickle is refused whether it is listed or not;
    ///     of a signed body (`auth`) the content may be of any type that is read.
    public init(
        accept: [String] = ["json"], limits: WireLimits = .standard, formats: any BodyFormats = PlainJSON()
    ) {
        accepted = accept.compactMap(ContentType.named)
        self.limits = limits
        self.formats = formats
    }

    var believesOnlySigned: Bool { accepted.contains(.auth) }

    /// - Parameters:
    ///   - now: for signed bodies, whose certificates are only valid for a time.
    public func decode(_ delivery: Delivery, now: WallTime) throws(WireError) -> TaskMessage {
        let wire = delivery.message
        do throws(WireError) {
            return try decode(wire, now)
        } catch {
            var failure = error
            failure.context.contentType = wire.properties.contentType
            failure.context.contentEncoding = wire.properties.contentEncoding
            failure.context.taskName = wire.headers["task"]?.text
            failure.context.id = wire.headers["id"]?.text
            throw failure
        }
    }

    private func decode(_ wire: WireMessage, _ now: WallTime) throws(WireError) -> TaskMessage {
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
        message.contentType = try checkedType(wire.properties)
        let json: [UInt8] =
            if message.contentType == .json, message.compression == nil {
                wire.body
            } else {
                try formats.json(
                    from: wire.body, message.contentType, message.compression, limits: limits, now: now)
            }
        try readBody(json, headers: wire.headers, into: &message)
        guard !message.name.isEmpty else { throw WireError(.notATask, "no header 'task' and no 'task' in the body") }
        guard !message.id.isEmpty else { throw WireError(.missingID, "the message has no task id") }
        return message
    }

    private func checkedType(_ properties: MessageProperties) throws(WireError) -> ContentType {
        let type = properties.contentType ?? ""
        let named = ContentType.named(type)
        if named == .pickle { throw WireError(refusing: .pickle) }
        guard let content = named, accepted.contains(content) else {
            let name = named?.name ?? "unknown"
            let refused = type.isEmpty ? "no content type" : "untrusted content of type \(name) (\(quoted(type)))"
            throw WireError(.refusedContentType, "Refusing to deserialize \(refused)")
        }
        guard let encoding = properties.contentEncoding, encoding != "utf-8" else { return content }
        guard ["utf-8", "utf8", "us-ascii", "ascii", "binary", ""].contains(encoding.lowercased()) else {
            throw WireError(.badEncoding, "content encoding \(quoted(encoding)) is not read; send utf-8")
        }
        return content
    }

    private func readBody(
        _ body: [UInt8], headers: FieldTable, into message: inout TaskMessage
    ) throws(WireError) {
        let first = body.first { $0 > 0x20 }
        switch first {
        case UInt8(ascii: "{"):
            try message.takeBodyMap(body, headers: headers, limits: limits)
        case UInt8(ascii: "["):
            // Scanned in any case, so that broken JSON is distinguished from JSON that is no task.
            let parts = try message.scanBody(body, limits: limits)
            guard !message.name.isEmpty else { return }
            try message.takeBodyList(body, parts)
        default:
            do throws(JSONError) {
                try JSONScan.validate(body, limits: limits.json)
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
    package init(body error: JSONError) {
        switch error.reason {
        case .badUTF8: self.init(.badEncoding, "the body is not UTF-8 (byte \(error.offset))")
        case .tooDeep: self.init(.tooDeep, "the body is nested too deep (max_depth)")
        case .tooManyNodes: self.init(.tooManyValues, "the body holds too many values (max_nodes)")
        default: self.init(.malformedBody, "the body is not JSON: \(error)")
        }
    }
}
