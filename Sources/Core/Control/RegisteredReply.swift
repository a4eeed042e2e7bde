// The reply to `registered`: names, with the attributes that were asked for and are set.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

enum RegisteredReply {
    /// - Parameter items: attributes; nil or empty: Celery's defaults.
    static func json(
        _ tasks: [TaskManifest], items: [String], options rows: [any TaskOptionRow] = TaskOptionTable.rows
    ) -> JSON {
        let items = (items.isEmpty ? ["exchange", "routing_key", "rate_limit"] : items).filter { !$0.hasPrefix("_") }
        // Python compares texts by their scalars, which is also the order of their bytes.
        let sorted = tasks.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        return .array(sorted.map { .string(line($0, items, rows)) })
    }

    private static func line(_ task: TaskManifest, _ items: [String], _ rows: [any TaskOptionRow]) -> String {
        let fields = items.compactMap { item in attribute(item, of: task, rows).map { "\(item)=\($0)" } }
        return fields.isEmpty ? task.name : "\(task.name) [\(fields.joined(separator: " "))]"
    }

    /// By Python's name, in Python's notation; nil: not set, or nothing that native tasks have.
    private static func attribute(_ item: String, of task: TaskManifest, _ rows: [any TaskOptionRow]) -> String? {
        if item == "name" { return task.name }
        guard let value = rows.first(where: { $0.attribute == item })?.value(in: task.options) else { return nil }
        return switch value {
        case .bool(let flag): flag ? "True" : "False"
        case .double(let number): PythonRepr.repr(number)
        case .int(let number): String(number)
        // Python's None, which is no attribute worth telling.
        case .string where item == "max_retries": nil
        case .string(let text): text
        case .array(let words): PythonRepr.repr(.array(words.map { .string($0.text ?? "") }))
        default: nil
        }
    }
}
