// Stubs for Python's Celery: shared tasks without a body, so that `tasks.add.delay(4, 6)` is checked before it is sent.
import TaskModel
import TaskhostJSON

extension ClientStubs {
    private static let keywords: Set<String> = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
        "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
        "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ]
    /// Names of the file itself.
    private static let used: Set<String> = ["Any", "Optional", "shared_task", "_elsewhere"]

    static func python(_ tasks: [TaskManifest], of bundles: String) -> String {
        let names = uniqueNames(tasks) { identifier($0) + (keywords.union(used).contains($0) ? "_" : "") }
        var text = """
            \"\"\"\(madeBy("python", bundles))

            Import it beside your Celery app, and call: NAME.delay(...), NAME.s(...), NAME.apply_async(..., countdown=5).
            \"\"\"
            from typing import Any, Optional

            from celery import shared_task


            def _elsewhere():
                raise NotImplementedError("this task runs in taskhost, not in a worker of Python's")

            """
        for (task, name) in zip(tasks, names) { text += "\n\n" + python(task, named: name) }
        return text
    }

    private static func python(_ task: TaskManifest, named name: String) -> String {
        var options = ["name=\(quoted(task.name))"]
        if let queue = task.options.queue { options.append("queue=\(quoted(queue))") }
        let usable = task.parameters.allSatisfy {
            let plain = $0.name.drop { $0 == "*" }
            return isIdentifier(String(plain)) && !keywords.contains(String(plain))
        }
        let parameters = usable ? pythonParameters(task.parameters) : "*args: Any, **kwargs: Any"
        let result = task.result.map { " -> \(StubType($0).python)" } ?? ""
        let doc = task.options.doc.map { "    \"\"\"\(oneLine($0))\"\"\"\n" } ?? ""
        return "@shared_task(\(options.joined(separator: ", ")))\n"
            + "def \(name)(\(parameters))\(result):\n\(doc)    _elsewhere()\n"
    }

    private static func pythonParameters(_ parameters: [TaskManifest.Parameter]) -> String {
        var words: [String] = []
        var hasDefault = false
        for parameter in parameters {
            var type = StubType(parameter.type)
            if parameter.takesRest, case .list(let inner) = type { type = inner }
            if parameter.takesRest, case .map(let inner) = type { type = inner }
            var word = "\(parameter.name): \(type.python)"
            if let value = parameter.defaultValue {
                hasDefault = true
                word += " = \(python(value))"
            } else if hasDefault, !parameter.takesRest {
                // What is required behind a default can only be given by name.
                if !words.contains("*") { words.append("*") }
            }
            words.append(word)
        }
        return words.joined(separator: ", ")
    }

    private static func python(_ value: JSON) -> String {
        switch value {
        case .null: "None"
        case .bool(let flag): flag ? "True" : "False"
        case .double(let number) where !number.isFinite: "float(\"\(value)\")"
        case .array(let elements): "[" + elements.map(python).joined(separator: ", ") + "]"
        case .object(let members):
            "{" + members.map { "\(quoted($0.key)): \(python($0.value))" }.joined(separator: ", ") + "}"
        default: "\(value)"
        }
    }

    /// JSON's texts are Python's, too.
    private static func quoted(_ text: String) -> String { "\(JSON.string(text))" }
}
