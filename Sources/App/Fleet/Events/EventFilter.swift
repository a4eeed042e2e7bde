// Which events `taskhost events` shows. Pure but for fnmatch.
import Glibc
import TaskhostJSON

package struct EventFilter {
    /// Shell patterns; empty: any.
    var types: [String] = []
    var workers: [String] = []
    /// Patterns of names, or ids.
    var tasks: [String] = []

    /// - Parameters: shell patterns; empty: any. A task may be named by its id, too.
    package init(types: [String], workers: [String], tasks: [String]) {
        self.types = types
        self.workers = workers
        self.tasks = tasks
    }

    /// - Parameter name: of the event's task, which only the first of its events carries.
    func shows(_ event: JSON, name: String?) -> Bool {
        Self.matches(types, event["type"]?.text) && Self.matches(workers, event["hostname"]?.text)
            && (tasks.isEmpty || Self.matches(tasks, name) || Self.matches(tasks, event["uuid"]?.text))
    }

    private static func matches(_ patterns: [String], _ text: String?) -> Bool {
        guard !patterns.isEmpty else { return true }
        guard let text else { return false }
        return patterns.contains { fnmatch($0, text, 0) == 0 }
    }
}

/// The names of tasks by their ids: events after the first carry the id only.
struct TaskNames {
    private var names: [String: String] = [:]
    /// Ids in the order in which they came, a ring.
    private var ids: [String] = []
    private var oldest = 0

    private static let capacity = 100_000

    subscript(id: String?) -> String? { id.flatMap { names[$0] } }

    mutating func learn(_ event: JSON) {
        guard let id = event["uuid"]?.text, let name = event["name"]?.text else { return }
        guard names.updateValue(name, forKey: id) == nil else { return }
        if ids.count < Self.capacity {
            ids.append(id)
        } else {
            names[ids[oldest]] = nil
            ids[oldest] = id
            oldest = (oldest + 1) % Self.capacity
        }
    }
}
