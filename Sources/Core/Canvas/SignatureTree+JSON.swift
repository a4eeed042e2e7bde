// Signatures as they travel in messages.
public import TaskhostJSON

/// A signature that cannot be run, or an impossible canvas. One sentence without a full stop.
public struct CanvasError: Error, Sendable, Equatable, CustomStringConvertible {
    public var description: String
    /// The canvas is in order, but needs what this worker has not.
    public var isUnsupported: Bool

    public init(_ description: String, isUnsupported: Bool = false) {
        self.description = description
        self.isUnsupported = isUnsupported
    }
}

extension SignatureTree {
    public init(_ json: JSON) throws(CanvasError) {
        guard case .object(let members) = json, let task = json["task"]?.text, !task.isEmpty else {
            throw CanvasError("a signature must be an object with a text 'task'")
        }
        self.init(task)
        for member in members {
            switch member.key {
            case "task", "subtask_type": break
            case "args": args = try Self.list(member.value, "args")
            case "kwargs": kwargs = try Self.map(member.value, "kwargs")
            case "options": options = try Self.map(member.value, "options")
            case "immutable": isImmutable = member.value.boolean ?? false
            default: other[member.key] = member.value
            }
        }
        switch json["subtask_type"]?.text {
        case "chain": shape = .chain(try takeTasks())
        case "group": shape = .group(try takeTasks())
        case "chord": shape = .chord(try takeChord())
        case nil: break
        case let type?:
            // Of a kind made by somebody's own class: a task of its name, as far as we can tell.
            other["subtask_type"] = .string(type)
        }
    }

    private mutating func takeTasks() throws(CanvasError) -> [SignatureTree] {
        let tasks = try Self.signatures(kwargs["tasks"] ?? nil, of: task)
        kwargs["tasks"] = nil
        return tasks
    }

    private mutating func takeChord() throws(CanvasError) -> Chord {
        guard let body = kwargs.given("body") else { throw CanvasError("a chord has no body") }
        let header = kwargs["header"] ?? nil
        // A list, or (once it is frozen) a group; a chain in its place stands for its members.
        var members = header
        var headerOptions: JSONMap?
        if case .object = header {
            let whole = try SignatureTree(header)
            members = .array((whole.members ?? [whole]).map(\.json))
            headerOptions = whole.isGroup ? whole.options : nil
        }
        let chord = Chord(
            header: try Self.signatures(members, of: task), headerOptions: headerOptions, body: try SignatureTree(body),
            kwargs: kwargs["kwargs"] ?? .object([]))
        for key in ["header", "body", "kwargs"] { kwargs[key] = nil }
        return chord
    }

    private static func list(_ json: JSON, _ key: String) throws(CanvasError) -> [JSON] {
        if json.isNull { return [] }
        guard let elements = json.elements else { throw CanvasError("'\(key)' of a signature must be a list") }
        return elements
    }

    private static func map(_ json: JSON, _ key: String) throws(CanvasError) -> JSONMap {
        if json.isNull { return [:] }
        guard let members = json.members else { throw CanvasError("'\(key)' of a signature must be an object") }
        return JSONMap(members)
    }

    private static func signatures(_ json: JSON, of task: String) throws(CanvasError) -> [SignatureTree] {
        guard let elements = json.elements else { throw CanvasError("\(task) has no list of tasks") }
        var signatures: [SignatureTree] = []
        for element in elements { signatures.append(try SignatureTree(element)) }
        return signatures
    }

    public var json: JSON {
        var all: [JSONMember] = [
            JSONMember(key: "task", value: .string(task)), JSONMember(key: "args", value: .array(args)),
            JSONMember(key: "kwargs", value: allKeywords), JSONMember(key: "options", value: options.json),
            JSONMember(key: "subtask_type", value: subtaskType),
            JSONMember(key: "immutable", value: .bool(isImmutable)),
        ]
        all += other.members.filter { $0.key != "subtask_type" }
        return .object(all)
    }

    private var subtaskType: JSON {
        switch shape {
        case .task: other["subtask_type"] ?? nil
        case .chain: "chain"
        case .group: "group"
        case .chord: "chord"
        }
    }

    private var allKeywords: JSON {
        var all = kwargs
        switch shape {
        case .task: break
        case .chain(let tasks), .group(let tasks): all["tasks"] = .array(tasks.map(\.json))
        case .chord(let chord):
            all["kwargs"] = chord.kwargs
            let header = chord.header.map(\.json)
            all["header"] =
                chord.headerOptions.map { SignatureTree.group(chord.header, options: $0).json } ?? .array(header)
            all["body"] = chord.body.json
        }
        return all.json
    }
}
