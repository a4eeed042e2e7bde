// What `inspect` and `control` send: a command of taskhost's workers, or one that the workers of a fleet define themselves.
package import Control
package import Output
import Settings
import TaskModel
import TaskhostJSON

package struct RemoteMethod {
    /// As it is sent; perhaps an alias.
    let name: String
    /// nil: no worker of taskhost knows it.
    let command: RemoteCommand?

    /// - Throws: when it is a command of the other verb.
    package init(
        _ name: String, verb: RemoteCommand.Verb, among table: CommandTable = .all
    ) throws(CommandFailure) {
        self.name = name
        command = table[name]
        if command == nil, let meant = NearestName.of(name, among: table.commands.filter(\.isVisible).map(\.name)) {
            // Perhaps a command that somebody's own workers have.
            Console.note(
                "taskhost: '\(name)' is no command of taskhost's workers\n  fix: did you mean `\(meant)`?")
        }
        guard let command, command.verb != verb else { return }
        let what = command.verb == .inspect ? "looks only" : "changes something"
        throw CommandFailure(.usage, "\(name) \(what)", fix: "taskhost \(command.verb.rawValue) \(name)")
    }

    /// Whether workers reply at all.
    var isAnswered: Bool { command?.isAnswered ?? true }

    /// Of what only the workers of one queue can do, one that has done it is enough.
    private var isDoneByOne: Bool { ["pause_queue", "resume_queue"].contains(name) }

    /// - Parameter replies: of workers that know the command.
    func failed(_ replies: [JSONMember]) -> Bool {
        let failures = replies.count { ReplyText.failed($0.value) }
        return isDoneByOne ? failures == replies.count : failures > 0
    }

    /// Of a command that taskhost does not know: `NAME=VALUE`, the value as JSON if it is JSON, else as text.
    /// - Throws: when words are missing, too many, or no numbers where numbers are wanted.
    func arguments(_ words: [String]) throws(CommandFailure) -> [JSONMember] {
        if let command { return try command.arguments(words) }
        var members: [JSONMember] = []
        for word in words {
            guard let equals = word.firstIndex(of: "="), equals > word.startIndex else {
                throw CommandFailure(
                    .usage, "'\(name)' is no command of taskhost's workers, so '\(word)' needs a name",
                    fix: "write NAME=VALUE; commands of taskhost: taskhost help inspect, taskhost help control")
            }
            let value = PlainValue.read(String(word[word.index(after: equals)...]))
            members.append(JSONMember(key: String(word[..<equals]), value: value))
        }
        return members
    }

    /// Whether this reply says that its worker has no such command.
    func isUnknown(by reply: JSON) -> Bool {
        command == nil && ["KeyError('\(name)')", "KeyError(\"\(name)\")"].contains(reply["error"]?.text ?? "")
    }

    func unknownToAll(among table: CommandTable = .all) -> CommandFailure {
        CommandFailure(
            .failure, "no worker that replied knows the command '\(name)'",
            fix: "one of \(table.commands.filter(\.isVisible).map(\.name).joined(separator: ", "))")
    }
}

extension RemoteCommand {
    /// Words of the command line by the names of the parameters.
    fileprivate func arguments(_ words: [String]) throws(CommandFailure) -> [JSONMember] {
        var rest = words[...]
        var members: [JSONMember] = []
        for parameter in parameters {
            guard !rest.isEmpty else {
                if parameter.isOptional { break }
                throw CommandFailure(.usage, "\(name) needs \(parameter.name)", fix: "taskhost … \(usage)")
            }
            let own = parameter.isList ? rest : rest.prefix(1)
            rest = rest.dropFirst(own.count)
            var values: [JSON] = []
            for word in own { values.append(try value(word, of: parameter)) }
            members.append(JSONMember(key: parameter.name, value: parameter.isList ? .array(values) : values[0]))
        }
        if let word = rest.first {
            throw CommandFailure(.usage, "\(name) has no use for '\(word)'", fix: "taskhost … \(usage)")
        }
        return members
    }

    private func value(_ word: String, of parameter: Parameter) throws(CommandFailure) -> JSON {
        switch parameter.kind {
        case .text: return .string(word)
        case .number:
            if let whole = Int64(word) { return .int(whole) }
            if let number = Double(word), number.isFinite { return .double(number) }
            throw CommandFailure(.usage, "\(parameter.name) is a number, not '\(word)'", fix: "taskhost … \(usage)")
        case .flag:
            switch word.lowercased() {
            case "1", "true", "yes", "on", "with_defaults": return true
            case "0", "false", "no", "off": return false
            default:
                throw CommandFailure(.usage, "\(parameter.name) is true or false", fix: "taskhost … \(usage)")
            }
        }
    }
}
