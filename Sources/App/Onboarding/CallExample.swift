// How a task is called, as a line that can be typed: made of its parameters.
import TaskModel

enum CallExample {
    /// "taskhost call tasks.add 4 6"
    static func line(_ task: TaskManifest) -> String {
        var numbers = ["4", "6", "3", "5"][...]
        var words = ["taskhost call", task.name]
        for parameter in task.parameters where parameter.defaultJSON == nil && !parameter.name.hasPrefix("*") {
            words.append(example(StubType(parameter.type), named: parameter.name, &numbers))
        }
        if let queue = task.options.queue { words.append("--queue \(queue)") }
        return words.joined(separator: " ")
    }

    private static func example(_ type: StubType, named name: String, _ numbers: inout ArraySlice<String>) -> String {
        switch type {
        case .integer, .number: numbers.popFirst() ?? "1"
        case .boolean: "true"
        case .text: name
        case .list: "'[]'"
        case .map: "'{}'"
        case .optional: "null"
        case .any: numbers.popFirst() ?? "1"
        case .bytes, .void: "'{}'"
        }
    }
}
