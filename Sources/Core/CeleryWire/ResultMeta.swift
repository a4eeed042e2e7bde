// The document a result store keeps for a task (celery-protocol.md §4.1, §4.2), written without a tree.
public import TaskModel
import TaskhostJSON

/// What `result_extended` adds, beside what the message itself says.
public struct ExtendedFields: Sendable, Equatable {
    /// Node name, "celery@host".
    public var worker: String?
    /// The delivery's routing key; Celery calls it queue.
    public var queue: String?

    public init(worker: String?, queue: String?) {
        self.worker = worker
        self.queue = queue
    }
}

/// Each gives the whole document as JSON. `children` is the JSON list of what the task sent (celery-protocol.md §4.3);
/// it is written by the host itself and put in as it is.
///
/// Texts that come from a task (result, exception arguments, state meta) are checked to be JSON: a child cannot break
/// the document. What is none is stored as a JSON string; `problem(in:)` tells beforehand.
public enum ResultMeta {
    /// For tasks that sent nothing.
    public static let noChildren: [UInt8] = Array("[]".utf8)

    public static func success(
        of message: TaskMessage, result: [UInt8], at time: WallTime, children: [UInt8] = noChildren,
        extended: ExtendedFields?
    ) -> [UInt8] {
        document(message, "SUCCESS", done: time, traceback: nil, children: children, extended) {
            appendChecked(result, into: &$0)
        }
    }

    public static func failure(
        of message: TaskMessage, failure: TaskFailure, at time: WallTime, children: [UInt8] = noChildren,
        extended: ExtendedFields?
    ) -> [UInt8] {
        document(message, "FAILURE", done: time, traceback: failure.traceback, children: children, extended) {
            append(failure, into: &$0)
        }
    }

    /// - Parameters:
    ///   - cause: why it is tried again; nil: stored as null.
    public static func retry(
        of message: TaskMessage, cause: TaskFailure?, children: [UInt8] = noChildren, extended: ExtendedFields?
    ) -> [UInt8] {
        document(message, "RETRY", done: nil, traceback: cause?.traceback, children: children, extended) { out in
            if let cause {
                append(cause, into: &out)
            } else {
                out.append(contentsOf: "null".utf8)
            }
        }
    }

    public static func started(
        of message: TaskMessage, pid: Int32, hostname: String, extended: ExtendedFields?
    ) -> [UInt8] {
        document(message, "STARTED", done: nil, traceback: nil, extended) { out in
            out.append(contentsOf: #"{"pid":\#(pid),"hostname":"#.utf8)
            JSONWriter.append(hostname, into: &out)
            out.append(UInt8(ascii: "}"))
        }
    }

    /// A state of the task's own, e.g. PROGRESS.
    /// - Parameter time: when it ended, if the state is its last.
    public static func custom(
        of message: TaskMessage, state: String, meta: [UInt8], at time: WallTime? = nil,
        children: [UInt8] = noChildren, extended: ExtendedFields?
    ) -> [UInt8] {
        document(message, state, done: time, traceback: nil, children: children, extended) {
            appendChecked(meta, into: &$0)
        }
    }

    /// - Parameters:
    ///   - reason: "expired", "revoked" or "terminated".
    public static func revoked(
        of message: TaskMessage, reason: String, at time: WallTime, children: [UInt8] = noChildren,
        extended: ExtendedFields?
    ) -> [UInt8] {
        let failure = CeleryFailure.revoked(reason: reason)
        return document(message, "REVOKED", done: time, traceback: nil, children: children, extended) {
            append(failure, into: &$0)
        }
    }

    public static func notRegistered(
        of message: TaskMessage, at time: WallTime, extended: ExtendedFields?
    ) -> [UInt8] {
        failure(of: message, failure: CeleryFailure.notRegistered(message.name), at: time, extended: extended)
    }

    /// Why a child's text cannot be stored as the value it claims to be; nil: it can.
    public static func problem(in result: [UInt8]) -> TaskFailure? {
        do throws(JSONError) {
            try JSONScan.validate(result, limits: .trusted)
            return nil
        } catch {
            return CeleryFailure.encodeError(error.description)
        }
    }

    // ---- the parts ----

    private static func document(
        _ message: TaskMessage, _ state: String, done: WallTime?, traceback: String?,
        children: [UInt8] = noChildren, _ extended: ExtendedFields?, result: (inout [UInt8]) -> Void
    ) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(320)
        out.append(contentsOf: #"{"status":"#.utf8)
        JSONWriter.append(state, into: &out)
        out.append(contentsOf: #","result":"#.utf8)
        result(&out)
        member("traceback", traceback, into: &out)
        out.append(contentsOf: #","children":"#.utf8)
        out.append(contentsOf: children)
        member("date_done", done.map(ISO8601.format), into: &out)
        if let group = message.groupID { member("group_id", group, into: &out) }
        if let parent = message.parentID { member("parent_id", parent, into: &out) }
        if let extended { append(extended, message, into: &out) }
        member("task_id", message.id, into: &out)
        out.append(UInt8(ascii: "}"))
        return out
    }

    private static func member(_ key: StaticString, _ value: String?, into out: inout [UInt8]) {
        begin(key, into: &out)
        if let value {
            JSONWriter.append(value, into: &out)
        } else {
            out.append(contentsOf: "null".utf8)
        }
    }

    private static func begin(_ key: StaticString, into out: inout [UInt8]) {
        out.append(contentsOf: #",""#.utf8)
        out.append(contentsOf: UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
        out.append(contentsOf: #"":"#.utf8)
    }

    private static func append(_ failure: TaskFailure, into out: inout [UInt8]) {
        out.append(contentsOf: #"{"exc_type":"#.utf8)
        JSONWriter.append(failure.type, into: &out)
        out.append(contentsOf: #","exc_message":"#.utf8)
        // Clients spread this over a constructor: it has to be a list.
        let isList = failure.arguments.first { $0 > 0x20 } == UInt8(ascii: "[") && problem(in: failure.arguments) == nil
        if isList {
            out.append(contentsOf: failure.arguments)
        } else {
            out.append(UInt8(ascii: "["))
            appendChecked(failure.arguments, into: &out)
            out.append(UInt8(ascii: "]"))
        }
        out.append(contentsOf: #","exc_module":"#.utf8)
        JSONWriter.append(failure.module, into: &out)
        out.append(UInt8(ascii: "}"))
    }

    private static func appendChecked(_ text: [UInt8], into out: inout [UInt8]) {
        if problem(in: text) == nil {
            out.append(contentsOf: text)
        } else {
            JSONWriter.append(String(decoding: text, as: UTF8.self), into: &out)
        }
    }

    private static func append(_ extended: ExtendedFields, _ message: TaskMessage, into out: inout [UInt8]) {
        member("name", message.name, into: &out)
        begin("args", into: &out)
        out.append(contentsOf: message.body[message.argsRange])
        begin("kwargs", into: &out)
        out.append(contentsOf: message.body[message.kwargsRange])
        member("worker", extended.worker, into: &out)
        begin("retries", into: &out)
        JSONWriter.append(Int64(message.retries), into: &out)
        member("queue", extended.queue, into: &out)
        guard !message.stamps.fields.isEmpty else { return }
        let names = message.stampedHeaders ?? []
        begin("stamped_headers", into: &out)
        HeadersJSON.write(.array(names.map(FieldValue.string)), into: &out)
        for name in names where !Self.ownKeys.contains(name) {
            guard let value = message.stamps[name] else { continue }
            out.append(UInt8(ascii: ","))
            JSONWriter.append(name, into: &out)
            out.append(UInt8(ascii: ":"))
            HeadersJSON.write(value, into: &out)
        }
    }

    /// A stamp is named by the client; it must not take the place of what we say.
    private static let ownKeys: Set<String> = [
        "status", "result", "traceback", "children", "date_done", "group_id", "parent_id", "task_id", "name", "args",
        "kwargs", "worker", "retries", "queue", "stamped_headers",
    ]
}
