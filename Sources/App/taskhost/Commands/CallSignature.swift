// The steps of `taskhost call` as signatures.
import Fleet
import Output
import TaskhostJSON
import TaskhostSignature

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

    func signature(_ options: [JSONMember]) -> Signature { Signature(task, arguments: arguments).with(options) }

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

extension Signature {
    /// The same with more options.
    func with(_ options: [JSONMember]) -> Signature {
        options.reduce(self) { $0.option($1.key, $1.value) }
    }
}
