// Arguments of a command, by name, as Python's functions take them.
import CeleryWire
import TaskhostJSON

/// Python's exception with one text; its repr is the reply's `error`.
struct CommandError: Error {
    var type: String
    var text: String

    init(_ type: String, _ text: String) {
        self.type = type
        self.text = text
    }

    var repr: String { "\(type)(\(PythonText.repr(text)))" }
}

struct CommandArguments {
    let method: String
    let members: [JSONMember]
    /// What speaks for the command. Asked for once: a fresh mark counts as used from then on.
    let proof: () -> ControlProof

    subscript(name: String) -> JSON? { members.last { $0.key == name }?.value }

    /// All of these must have been given. The sentence is Python's, since clients show it.
    func require(_ names: String...) throws(CommandError) {
        let missing = names.filter { self[$0] == nil }.map { PythonText.repr($0) }
        guard let last = missing.last else { return }
        let list =
            switch missing.count {
            case 1: last
            case 2: "\(missing[0]) and \(last)"
            default: missing.dropLast().joined(separator: ", ") + ", and \(last)"
            }
        let noun = missing.count == 1 ? "argument" : "arguments"
        throw CommandError(
            "TypeError", "\(method)() missing \(missing.count) required positional \(noun): \(list)")
    }

    /// For commands that take none.
    func requireNone() throws(CommandError) { try requireNone(but: []) }

    /// For commands that take these, and no others.
    func requireNone(but names: Set<String>) throws(CommandError) {
        guard let first = members.first(where: { !names.contains($0.key) }) else { return }
        throw CommandError(
            "TypeError", "\(method)() got an unexpected keyword argument '\(first.key)'")
    }

    /// What Python takes for true.
    func flag(_ name: String) -> Bool {
        switch self[name] {
        case nil, .null: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .double(let value): value != 0
        case .bigInteger: true
        case .string(let text), .surrogates(let text): !text.isEmpty
        case .array(let elements): !elements.isEmpty
        case .object(let members): !members.isEmpty
        }
    }

    /// One text, or a list of texts; other values by their notation.
    func texts(_ name: String) -> [String] { Self.texts(self[name] ?? .null) }

    static func texts(_ value: JSON) -> [String] {
        switch value {
        case .null: []
        case .string(let text): [text]
        case .array(let elements): elements.map { $0.text ?? PythonRepr.repr($0) }
        default: [PythonRepr.repr(value)]
        }
    }
}
