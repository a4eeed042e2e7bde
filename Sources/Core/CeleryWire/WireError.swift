// Why a message cannot be taken, and how that is reported (celery-protocol.md §1.10).

/// A message that cannot be run. Says what is wrong with it without repeating what it carries as arguments.
public struct WireError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable, Equatable {
        /// The body is larger than `WireLimits.maxBodyBytes`.
        case tooLarge
        /// Too deep, or too many values, in body or headers.
        case tooDeep
        case tooManyValues
        /// Not UTF-8, or a `content_encoding` we do not read.
        case badEncoding
        /// A `content_type` outside the accepted ones.
        case refusedContentType
        /// A compression we do not read, or a damaged stream.
        case compressed
        /// Not signed by whom it says, or by an unknown key.
        case badSignature
        /// No task's name anywhere.
        case notATask
        case missingID
        case malformedHeader
        case malformedBody
        /// `eta` or `expires` is no time.
        case badTime
    }

    public enum Severity: Sendable { case warning, error, critical }

    /// What is known of the message all the same; nil where it is not.
    public struct Context: Sendable, Equatable {
        public var contentType: String?
        public var contentEncoding: String?
        public var taskName: String?
        public var id: String?

        public init() {}
    }

    public var code: Code
    /// One sentence without a full stop. Quotes at most names from the message, shortened, control characters escaped.
    public var detail: String
    public var context: Context

    public init(_ code: Code, _ detail: String, context: Context = Context()) {
        self.code = code
        self.detail = detail
        self.context = context
    }

    public var description: String { detail }

    /// How loud the log line is to be.
    public var severity: Severity {
        switch code {
        case .notATask: .warning
        case .refusedContentType, .badTime, .missingID, .malformedHeader: .error
        default: .critical
        }
    }

    /// A stock worker acknowledges what it cannot decode and rejects (without requeue) what it refuses. Either way the
    /// message is gone; with dead letters both are kept.
    public var acknowledges: Bool { severity == .critical }

    /// The line a stock worker logs, so that existing alerts go on matching.
    public var logLine: String {
        switch severity {
        case .warning: return "Received and deleted unknown message.  Wrong destination?!? (\(detail))\(suffix)"
        case .error: return "Received invalid task message: \(detail)\(suffix)"
        case .critical: return "Can't decode message body: \(detail)\(suffix)"
        }
    }

    private var suffix: String {
        var parts: [String] = []
        if let type = context.contentType { parts.append("type:\(quoted(type))") }
        if let encoding = context.contentEncoding { parts.append("encoding:\(quoted(encoding))") }
        if let name = context.taskName { parts.append("task:\(quoted(name))") }
        if let id = context.id { parts.append("id:\(quoted(id))") }
        return parts.isEmpty ? "" : " [\(parts.joined(separator: " "))]"
    }
}

/// Text from outside for a log line: one line, at most 100 characters.
package func quoted(_ text: String) -> String {
    var result = "'"
    for scalar in text.unicodeScalars.prefix(100) {
        let isPrintable =
            scalar.value >= 0x20 && scalar.properties.generalCategory != .control
            && scalar.properties.generalCategory != .lineSeparator && scalar.properties.generalCategory != .format
            && scalar.properties.generalCategory != .paragraphSeparator
        if isPrintable {
            result.unicodeScalars.append(scalar)
        } else {
            result += "\\u{\(String(scalar.value, radix: 16))}"
        }
    }
    return result + (text.unicodeScalars.count > 100 ? "…'" : "'")
}
