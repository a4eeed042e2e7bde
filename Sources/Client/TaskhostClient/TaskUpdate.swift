// What is known of a task at one moment.
import CeleryWire
import TaskModel
public import TaskhostJSON

public struct TaskUpdate: Sendable {
    /// PENDING, STARTED, RETRY, SUCCESS, FAILURE, REVOKED, or a state of the task's own ("PROGRESS").
    public var state: String
    /// Return value, exception or state's data, by `state`.
    public var value: JSON
    public var traceback: String?

    /// No other state follows.
    public var isFinal: Bool { ["SUCCESS", "FAILURE", "REVOKED"].contains(state) }

    /// Of a state PROGRESS with `current` and `total`: the share done, 0…1.
    public var progress: Double? {
        guard state == "PROGRESS", let current = value["current"]?.number, let total = value["total"]?.number,
            total > 0
        else { return nil }
        return min(1, max(0, current / total))
    }

    /// The value as a type of the caller's own.
    public func decode<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        try ValueCoding.decode(type, from: value)
    }

    init(_ meta: ReceivedMeta?) {
        state = meta?.state.rawValue ?? "PENDING"
        value = meta?.result ?? .null
        traceback = meta?.traceback
    }
}

extension ReceivedMeta {
    func failure(of taskID: String) -> TaskFailed {
        TaskFailed(
            taskID: taskID, state: state.rawValue, type: failureType ?? "Exception", module: failureModule,
            arguments: failureArguments, message: failureMessage, traceback: traceback)
    }
}
