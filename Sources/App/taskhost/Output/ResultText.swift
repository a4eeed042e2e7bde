import CeleryWire
import Fleet
import Output
import TaskModel
import TaskhostJSON

/// Prints what came of a task.
enum ResultText {
    /// - Parameter place: where it waits, or runs; nil: not known, or over.
    static func report(
        _ meta: ReceivedMeta, taskID: String, seconds: Double?, asJSON: Bool, place: TaskPlace? = nil
    ) -> ExitStatus {
        if asJSON {
            let plain = json(meta, taskID: taskID, seconds: seconds)
            Console.out(.object((plain.members ?? []) + (place?.members ?? [])))
        } else {
            people(meta, seconds: seconds)
            if let place { Console.note(place.text(at: LogTime.now())) }
        }
        return status(meta.state)
    }

    static func status(_ state: TaskState) -> ExitStatus {
        switch state {
        case .success: .success
        case .failure, .revoked: .failure
        default: .notYet
        }
    }

    static func json(_ meta: ReceivedMeta, taskID: String, seconds: Double?) -> JSON {
        var members = [
            JSONMember(key: "id", value: .string(taskID)),
            JSONMember(key: "state", value: .string(meta.state.rawValue)),
            JSONMember(key: "result", value: meta.result),
            JSONMember(key: "traceback", value: meta.traceback.map(JSON.string) ?? .null),
        ]
        if let seconds { members.append(JSONMember(key: "seconds", value: .double(seconds))) }
        return .object(members)
    }

    private static func people(_ meta: ReceivedMeta, seconds: Double?) {
        switch meta.state {
        case .success:
            Console.out(Console.plain(meta.result))
            if let seconds { Console.note("took \(DurationText.measured(seconds))") }
        case .failure, .revoked:
            Console.note("\(meta.state): \(failureText(meta))")
            if let traceback = meta.traceback { Console.note(traceback) }
        default:
            Console.out(ProgressView.line(state: meta.state.rawValue, meta: meta.result, barColumns: 0))
        }
    }

    /// "ValueError: bad".
    private static func failureText(_ meta: ReceivedMeta) -> String {
        guard let type = meta.failureType else { return Console.text(meta.result) }
        return meta.failureMessage.isEmpty ? type : "\(type): \(meta.failureMessage)"
    }
}
