// A task and its options, as `taskhost bundles` shows them.
import Output
import TaskModel
import TaskhostJSON

/// A task as one would call it: `tasks.add(x: f64, y: f64 = 0.5) -> f64`.
enum TaskUsage {
    static func line(_ task: TaskManifest) -> String {
        let parameters = task.parameters.map { parameter in
            "\(parameter.name): \(typeName(parameter.type))" + (parameter.defaultJSON.map { " = \($0)" } ?? "")
        }
        return "\(task.name)(\(parameters.joined(separator: ", ")))" + (task.result.map { " -> \(typeName($0))" } ?? "")
    }

    /// The C names say who frees a text, which does not concern callers of the task.
    static func typeName(_ type: String) -> String {
        type.hasSuffix("_owned") ? String(type.dropLast(6)) : type
    }

    /// What the bundle asks for, by the names that stand in bundles and in `[tasks.NAME]`: "hard_limit = 2.5, keep = 10".
    /// Empty when it asks for nothing.
    static func options(_ options: TaskOptions) -> String {
        TaskOptionTable.rows.filter { $0.name != TaskOptionTable.standard.doc.name }
            .compactMap { row in row.value(in: options).map { "\(row.name) = \(text($0))" } }
            .joined(separator: ", ")
    }

    private static func text(_ value: FieldValue) -> String {
        switch value {
        case .string(let text): text
        case .double(let number): number.plain
        case .array(let values): "[\(values.map(text).joined(separator: ", "))]"
        default: Console.text(value.json)
        }
    }
}
