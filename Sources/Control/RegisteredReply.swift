// The reply to `registered`: names, with the attributes that were asked for and are set.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

enum RegisteredReply {
    /// - Parameter items: attributes; nil or empty: Celery's defaults.
    static func json(_ tasks: [TaskManifest], items: [String]) -> JSON {
        let items = (items.isEmpty ? ["exchange", "routing_key", "rate_limit"] : items).filter { !$0.hasPrefix("_") }
        // Python compares texts by their scalars, which is also the order of their bytes.
        let sorted = tasks.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        return .array(sorted.map { .string(line($0, items)) })
    }

    private static func line(_ task: TaskManifest, _ items: [String]) -> String {
        let fields = items.compactMap { item in attribute(item, of: task).map { "\(item)=\($0)" } }
        return fields.isEmpty ? task.name : "\(task.name) [\(fields.joined(separator: " "))]"
    }

    /// By Python's name, in Python's notation; nil: not set, or nothing that native tasks have.
    private static func attribute(_ item: String, of task: TaskManifest) -> String? {
        let options = task.options
        switch item {
        case "name": return task.name
        case "rate_limit": return options.rateLimit
        case "queue": return options.queue
        case "time_limit": return options.hardLimit.map(PythonRepr.repr)
        case "soft_time_limit": return options.softLimit.map(PythonRepr.repr)
        case "default_retry_delay": return options.retryDelay.map(PythonRepr.repr)
        case "max_retries":
            guard case .atMost(let count) = options.maxRetries else { return nil }
            return String(count)
        case "acks_late": return options.acksLate.map(flag)
        case "acks_on_failure": return options.acksOnFailure.map(flag)
        case "acks_on_timeout": return options.acksOnTimeout.map(flag)
        case "reject_on_worker_lost": return options.rejectOnWorkerLost.map(flag)
        case "track_started": return options.trackStarted.map(flag)
        case "ignore_result": return options.ignoreResult.map(flag)
        case "__doc__", "doc": return options.doc
        default: return nil
        }
    }

    private static func flag(_ value: Bool) -> String { value ? "True" : "False" }
}
