// W3C trace context (w3.org/TR/trace-context): which span a message, or a run, belongs to.

public struct TraceContext: Sendable, Equatable {
    /// 32 and 16 hexadecimal digits in lower case, not all of them 0.
    public var traceID: String
    public var spanID: String
    public var flags: UInt8
    /// `tracestate`, as it came: other systems' own notes.
    public var state: String?

    public init(traceID: String, spanID: String, flags: UInt8, state: String? = nil) {
        self.traceID = traceID
        self.spanID = spanID
        self.flags = flags
        self.state = state
    }

    /// Who sent it records its spans.
    public var isSampled: Bool { flags & 1 == 1 }

    public var traceparent: String { "00-\(traceID)-\(spanID)-\(Self.hex(UInt64(flags), digits: 2))" }

    /// Longer notes are dropped: W3C requires no more than 512 characters.
    private static let longestState = 1024

    /// nil: not a trace parent of version 00, nor one of a later version that begins like it.
    public init?(traceparent: String, state: String? = nil) {
        let parts = traceparent.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count >= 4, let version = Self.number(parts[0], digits: 2), version != 0xFF,
            version > 0 || parts.count == 4, Self.isID(parts[1], digits: 32), Self.isID(parts[2], digits: 16),
            let flags = Self.number(parts[3], digits: 2)
        else { return nil }
        self.init(
            traceID: String(decoding: parts[1], as: UTF8.self), spanID: String(decoding: parts[2], as: UTF8.self),
            flags: UInt8(flags), state: state.flatMap { $0.isEmpty || $0.utf8.count > Self.longestState ? nil : $0 })
    }

    /// As OpenTelemetry's propagator puts it into the headers of a message.
    public init?(headers: FieldTable) {
        guard let parent = headers[Self.parentHeader]?.text else { return nil }
        self.init(traceparent: parent, state: headers[Self.stateHeader]?.text)
    }

    public func put(into headers: inout FieldTable) {
        headers[Self.parentHeader] = .string(traceparent)
        headers[Self.stateHeader] = state.map { .string($0) }
    }

    public static let parentHeader = "traceparent"
    public static let stateHeader = "tracestate"

    /// - Parameter value: its lowest `digits` digits.
    public static func hex(_ value: UInt64, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text.suffix(digits)
    }

    private static func isID(_ part: Substring.UTF8View.SubSequence, digits: Int) -> Bool {
        part.count == digits && part.allSatisfy(isDigit) && part.contains { $0 != UInt8(ascii: "0") }
    }

    private static func number(_ part: Substring.UTF8View.SubSequence, digits: Int) -> UInt64? {
        guard part.count == digits, part.allSatisfy(isDigit) else { return nil }
        return UInt64(String(decoding: part, as: UTF8.self), radix: 16)
    }

    /// Upper case is not allowed.
    private static func isDigit(_ character: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(character)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(character)
    }
}

/// The place of one run of a task in a trace.
public struct RunTrace: Sendable, Equatable {
    /// The context of the run: given to the task, and put into what it sends.
    public var context: TraceContext
    /// The span that sent the message; nil: the run begins a trace.
    public var parentSpanID: String?
    /// `context` is a span of the run's own, to be recorded; false: the sender's, passed on.
    public var isRecorded: Bool

    public init(context: TraceContext, parentSpanID: String?, isRecorded: Bool) {
        self.context = context
        self.parentSpanID = parentSpanID
        self.isRecorded = isRecorded
    }
}
