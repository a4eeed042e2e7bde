// A stored result, read by a client (celery-protocol.md §4.1, §4.2).
public import TaskModel
public import TaskhostJSON

public struct ReceivedMeta: Sendable {
    public var taskID: String?
    public var state: TaskState
    /// Return value, exception map or state meta, by `state`.
    public var result: JSON
    public var traceback: String?
    public var dateDone: WallTime?
    /// The exception's class; nil: no exception is stored.
    public var failureType: String?
    public var failureModule: String?
    /// The exception's constructor arguments.
    public var failureArguments: [JSON]
    /// With `result_extended`.
    public var taskName: String?
    public var worker: String?
    public var retries: Int?
    /// What the task sent: result tuples (celery-protocol.md §4.3).
    public var children: [JSON]

    /// - Throws: the place where the document stops being a JSON object.
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        let meta = try JSON(parsing: bytes, limits: .trusted)
        guard case .object = meta else { throw JSONError(.notAnObject, at: 0) }
        taskID = meta["task_id"]?.text
        state = TaskState(rawValue: meta["status"]?.text ?? TaskState.pending.rawValue)
        result = meta["result"] ?? nil
        traceback = meta["traceback"]?.text
        dateDone = meta["date_done"]?.text.flatMap(ISO8601.parse)
        taskName = meta["name"]?.text
        worker = meta["worker"]?.text
        retries = meta["retries"]?.integer.map { Int(clamping: $0) }
        children = meta["children"]?.elements ?? []
        failureArguments = []
        guard [.failure, .retry, .revoked].contains(state), let type = result["exc_type"]?.text else { return }
        failureType = type
        failureModule = result["exc_module"]?.text
        switch result["exc_message"] {
        case .array(let arguments)?: failureArguments = arguments
        case nil, .null: break
        case let single?: failureArguments = [single]
        }
    }

    /// A document that was read before; nil: it is none.
    public init?(trusting bytes: [UInt8]) {
        do throws(JSONError) {
            try self.init(parsing: bytes)
        } catch {
            return nil
        }
    }

    /// No other state follows.
    public var isFinal: Bool { state.isFinal }

    /// `str` of the exception, as Python prints it: its only argument, or all of them as a tuple.
    public var failureMessage: String {
        switch failureArguments.count {
        case 0: ""
        case 1: failureArguments[0].text ?? PythonRepr.repr(failureArguments[0])
        default: PythonRepr.callRepr(args: failureArguments, kwargs: []).args
        }
    }
}
