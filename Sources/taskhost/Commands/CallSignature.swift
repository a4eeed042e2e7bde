// What `taskhost call` sends, as a signature.
import TaskhostJSON

/// One step: a task's name, and its arguments as one would type them: `tasks.scale 2 [1, 2] "two words"`.
struct CallStep: Equatable {
    var task: String
    var arguments: [JSON]

    /// - Parameter option: for the error's text.
    init(_ text: String, option: String) throws(CommandFailure) {
        let words = Self.words(text)
        guard let task = words.first else {
            throw CommandFailure(.usage, "\(option): name a task", fix: "write \(option) 'NAME ARGUMENT…'")
        }
        self.task = task
        arguments = words.dropFirst().map(PlainValue.read)
    }

    func json(_ options: [JSONMember]) -> JSON {
        Self.signature(task, args: arguments, kwargs: [], options: options)
    }

    static func signature(_ task: String, args: [JSON], kwargs: [JSONMember], options: [JSONMember]) -> JSON {
        .object([
            JSONMember(key: "task", value: .string(task)), JSONMember(key: "args", value: .array(args)),
            JSONMember(key: "kwargs", value: .object(kwargs)), JSONMember(key: "options", value: .object(options)),
            JSONMember(key: "subtask_type", value: .null), JSONMember(key: "immutable", value: .bool(false)),
        ])
    }

    static func chain(_ steps: [JSON]) -> JSON {
        .object([
            JSONMember(key: "task", value: "celery.chain"), JSONMember(key: "args", value: .array([])),
            JSONMember(key: "kwargs", value: .object([JSONMember(key: "tasks", value: .array(steps))])),
            JSONMember(key: "options", value: .object([])), JSONMember(key: "subtask_type", value: "chain"),
            JSONMember(key: "immutable", value: .bool(false)),
        ])
    }

    /// The signature with more options.
    static func with(_ options: [JSONMember], _ signature: JSON) -> JSON {
        .object(
            (signature.members ?? []).map { member in
                guard member.key == "options" else { return member }
                return JSONMember(key: member.key, value: .object((member.value.members ?? []) + options))
            })
    }

    /// Split at spaces that stand neither in a JSON string nor within brackets.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        var depth = 0
        var isQuoted = false
        var isEscaped = false
        for character in text {
            if isQuoted {
                if character == "\"", !isEscaped { isQuoted = false }
                isEscaped = character == "\\" && !isEscaped
            } else if character == "\"" {
                isQuoted = true
            } else if "[{".contains(character) {
                depth += 1
            } else if "]}".contains(character) {
                depth -= 1
            } else if character.isWhitespace, depth <= 0 {
                if !word.isEmpty { words.append(word) }
                word = ""
                continue
            }
            word.append(character)
        }
        return word.isEmpty ? words : words + [word]
    }
}
