// Dead letters: the message as it came, with one header that says why it lies here.
public import TaskModel

extension Republication {
    /// The message with the header `taskhost-dead`; its body is untouched.
    /// - Parameters:
    ///   - message: nil when it could not be decoded.
    ///   - reason: a sentence for people.
    ///   - kind: the word for programs.
    ///   - report: of the last start, if there was one.
    ///   - starts: made in all.
    public static func deadLetter(
        _ delivery: Delivery, _ message: TaskMessage?, reason: String, kind: DeadLetterKind, report: RunReport?,
        starts: Int, at time: WallTime
    ) -> WireMessage {
        var dead = delivery.message.withoutBrokerRecords
        dropOversize(&dead.headers)
        var note: FieldTable = [
            "reason": .string(Text.head(of: reason, characters: 2000)), "verdict": .string(kind.rawValue),
            "starts": .int(Int64(starts)), "queue": .string(delivery.queue), "exchange": .string(delivery.exchange),
            "routing_key": .string(delivery.routingKey), "at": .string(ISO8601.format(time)),
        ]
        // In the property it would end the dead letter, too.
        if let expiration = dead.properties.expiration {
            note["expiration"] = .string(expiration)
            dead.properties.expiration = nil
        }
        if let report {
            if case .died(let death) = report.outcome { note["crash"] = .table(crash(death)) }
            if !report.output.isEmpty { note["output"] = .string(Text.tail(of: report.output, bytes: outputBytes)) }
        }
        dead.headers[OwnHeaders.dead] = .table(note)
        return dead
    }

    /// What the header `taskhost-dead` says; nil: none of our dead letters.
    public static func deadReport(of message: WireMessage) -> DeadReport? {
        guard case .table(let note)? = message.headers[OwnHeaders.dead] else { return nil }
        return DeadReport(note, headers: message.headers)
    }

    /// All headers travel in one AMQP frame of 128 KiB.
    private static let headerBytes = 72 << 10
    private static let outputBytes = 24 << 10

    /// A message may have been refused for its headers' size; then only short ones go along.
    private static func dropOversize(_ headers: inout FieldTable) {
        guard size(of: .table(headers)) > headerBytes else { return }
        headers.fields.removeAll { size(of: $0.value) > 256 }
        if size(of: .table(headers)) > headerBytes { headers.fields.removeAll { $0.key != "task" && $0.key != "id" } }
    }

    /// About what it takes on the wire.
    private static func size(of value: FieldValue) -> Int {
        switch value {
        case .string(let text): 5 + text.utf8.count
        case .bytes(let bytes): 5 + bytes.count
        case .array(let elements): elements.reduce(5) { $0 + size(of: $1) }
        case .table(let table): table.fields.reduce(5) { $0 + 1 + $1.key.utf8.count + size(of: $1.value) }
        default: 9
        }
    }

    private static func crash(_ death: Death) -> FieldTable {
        var table: FieldTable = ["cause": .string(death.causeText), "core_dumped": .bool(death.coreDumped)]
        switch death.cause {
        case .signal(let number): table["signal"] = .int(Int64(number))
        case .exit(let code): table["exit_code"] = .int(Int64(code))
        case .protocolViolation, .zygoteLost: break
        }
        if let address = death.address { table["address"] = .string("0x" + String(address, radix: 16)) }
        table["stack"] = .array(
            death.stack.prefix(Death.reportedFrames).map { .string(Text.head(of: $0, characters: 200)) })
        return table
    }
}

/// Why a message was dead-lettered, as one word: `verdict` of the header `taskhost-dead` and of `taskhost dead`.
public enum DeadLetterKind: String, Sendable, CaseIterable {
    /// It could not be read, or broke a limit.
    case refused
    /// No bundle has its task.
    case unregistered
    /// Its starts ended in crashes.
    case poison
    /// The task rejected it.
    case rejected
    /// The task failed, and its message was not to be acknowledged then.
    case failed
    /// The task was killed at its hard limit, as often as it may be started.
    case timedOut = "timed-out"
    /// Its outcome could never be stored.
    case unrecorded
    /// It should have followed a task, and could never be sent.
    case unsendable
}

/// A dead letter's header, read.
public struct DeadReport: Sendable, Equatable {
    public var taskName: String?
    public var taskID: String?
    public var argsRepr: String?
    public var kwargsRepr: String?
    public var reason: String
    /// A `DeadLetterKind`, or the word of a later taskhost.
    public var verdict: String
    public var starts: Int
    public var queue: String
    public var exchange: String
    public var routingKey: String
    public var at: WallTime?
    /// "signal 11 (SIGSEGV)"; nil: it did not die of a crash.
    public var crashCause: String?
    /// "0x…"
    public var crashAddress: String?
    /// Innermost first.
    public var stack: [String]
    /// The last of what the task wrote.
    public var output: String

    init(_ note: FieldTable, headers: FieldTable) {
        taskName = headers["task"]?.text
        taskID = headers["id"]?.text
        argsRepr = headers["argsrepr"]?.text
        kwargsRepr = headers["kwargsrepr"]?.text
        reason = note["reason"]?.text ?? ""
        verdict = note["verdict"]?.text ?? ""
        starts = Int(clamping: note["starts"]?.integer ?? 0)
        queue = note["queue"]?.text ?? ""
        exchange = note["exchange"]?.text ?? ""
        routingKey = note["routing_key"]?.text ?? ""
        at = note["at"]?.text.flatMap(ISO8601.parse)
        stack = []
        output = note["output"]?.text ?? ""
        guard case .table(let crash)? = note["crash"] else { return }
        crashCause = crash["cause"]?.text
        crashAddress = crash["address"]?.text
        if case .array(let frames)? = crash["stack"] { stack = frames.compactMap(\.text) }
    }
}
