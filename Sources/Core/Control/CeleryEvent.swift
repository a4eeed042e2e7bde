// What happened to a task, as the event that Celery's monitors know (celery-protocol.md §6.3).
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

struct CeleryEvent {
    var type: String
    /// What it has beside the fields that all events have.
    var fields: [JSONMember]

    /// nil: Celery has no event for it.
    init?(_ event: TaskEvent, of task: ObservedTask, now: WallTime) {
        switch event {
        case .received: self.init("task-received", Self.call(task))
        case .started: self.init("task-started", [])
        case .succeeded(let result):
            self.init(
                "task-succeeded",
                [("result", .string(Self.repr(result))), ("runtime", .double(Self.runtime(task, until: now)))])
        case .failed(let failure): self.init("task-failed", Self.exception(failure))
        case .retried(_, let cause):
            let unexplained: [(String, JSON)] = [("exception", "Retry()"), ("traceback", "Retry()\n")]
            self.init("task-retried", cause.map(Self.exception) ?? unexplained)
        case .revoked(let signal, let hasExpired):
            self.init(
                "task-revoked",
                [
                    ("terminated", .bool(signal != nil)), ("signum", signal.map { .int(Int64($0)) } ?? nil),
                    ("expired", .bool(hasExpired)),
                ])
        case .rejected(let requeue): self.init("task-rejected", [("requeue", .bool(requeue))])
        case .requeuedAtStop: self.init("task-cancelled", [])
        case .ignored, .replaced, .crashed, .reachedSoftLimit, .reachedHardLimit, .deadLettered: return nil
        }
    }

    private init(_ type: String, _ fields: [(String, JSON)]) {
        self.type = type
        self.fields = fields.map { JSONMember(key: $0.0, value: $0.1) }
    }

    private static func call(_ task: ObservedTask) -> [(String, JSON)] {
        func text(_ value: String?) -> JSON { value.map { .string($0) } ?? nil }
        return [
            ("name", .string(task.displayName)), ("args", .string(task.argsRepr)),
            ("kwargs", .string(task.kwargsRepr)), ("root_id", text(task.rootID)),
            ("parent_id", text(task.parentID)), ("retries", .int(Int64(task.retries))), ("eta", text(task.etaText)),
            ("expires", text(task.expiresText)),
        ]
    }

    private static func exception(_ failure: TaskFailure) -> [(String, JSON)] {
        let arguments: [JSON]
        do throws(JSONError) {
            arguments = try JSON(parsing: failure.arguments, limits: .trusted).elements ?? []
        } catch {
            arguments = []
        }
        let shown = PythonRepr.exception(type: failure.type, arguments: arguments)
        return [("exception", .string(shown)), ("traceback", .string(failure.tracebackText))]
    }

    /// The longest result that is read to be shown in Python's notation; of a longer one only the beginning.
    private static let longestRead = 65_536

    private static func repr(_ result: [UInt8]) -> String {
        guard result.count <= longestRead else { return String(decoding: result.prefix(1024), as: UTF8.self) + "..." }
        do throws(JSONError) {
            return PythonRepr.repr(try JSON(parsing: result, limits: .trusted))
        } catch {
            return String(decoding: result.prefix(1024), as: UTF8.self)
        }
    }

    private static func runtime(_ task: ObservedTask, until now: WallTime) -> Double {
        if let usage = task.usage, usage.wallMicroseconds > 0 { return Double(usage.wallMicroseconds) / 1e6 }
        return task.beganAt.map { max(0, now.seconds(since: $0)) } ?? 0
    }
}
