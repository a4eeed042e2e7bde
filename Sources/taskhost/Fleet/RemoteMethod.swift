// The commands workers answer, by Celery's names: what `inspect` and `control` take and how they say it.
import TaskhostJSON

struct RemoteMethod {
    enum Kind { case text, number, flag }

    struct Parameter {
        var name: String
        var kind: Kind
        var isOptional = false
        /// The last one may take all words that are left.
        var isList = false
    }

    var name: String
    var summary: String
    var parameters: [Parameter] = []
    /// A worker that ends does not say so.
    var isAnswered = true

    /// As help shows it: `time_limit TASK_NAME SOFT [HARD]`.
    var usage: String {
        let words = parameters.map { parameter in
            let word = parameter.name.uppercased() + (parameter.isList ? "…" : "")
            return parameter.isOptional ? "[\(word)]" : word
        }
        return ([name] + words).joined(separator: " ")
    }

    /// - Throws: when words are missing, too many, or no numbers where numbers are wanted.
    func arguments(_ words: [String]) throws(CommandFailure) -> [JSONMember] {
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

    static func find(_ name: String, among methods: [RemoteMethod]) throws(CommandFailure) -> RemoteMethod {
        if let method = methods.first(where: { $0.name == name }) { return method }
        let names = methods.map(\.name).joined(separator: ", ")
        if inspecting.contains(where: { $0.name == name }) {
            throw CommandFailure(.usage, "\(name) looks only", fix: "taskhost inspect \(name)")
        }
        if controlling.contains(where: { $0.name == name }) {
            throw CommandFailure(.usage, "\(name) changes something", fix: "taskhost control \(name)")
        }
        throw CommandFailure(.usage, "'\(name)' is no command of workers", fix: "one of \(names)")
    }

    /// Two columns, within 80: a long usage has its summary below.
    static func help(_ methods: [RemoteMethod]) -> String {
        let width = 26
        return methods.map { method in
            let usage = "  " + method.usage
            let fits = usage.count <= width - 2
            return (fits ? usage.padded(to: width) : usage + "\n" + "".padded(to: width)) + method.summary
        }.joined(separator: "\n")
    }
}

extension String {
    func padded(to columns: Int) -> String { self + String(repeating: " ", count: max(0, columns - count)) }
}
