// Calls to come, as values: tasks, and how they follow each other.

/// A task with arguments, or several tasks in a chain, a group or a chord, as Celery's clients write them.
///
///     let sum = Signature("sums.add", 2, 2)
///     try task.send(sum | Signature("sums.mul", 10))                       // a chain: mul gets add's result first
///     try task.send(.chord(.group([sum, sum]), body: Signature("sums.total")))
///
/// One value for bundles (TaskhostSDK), for programs that send (TaskhostClient) and for `taskhost call`.
public struct Signature: Sendable, Equatable {
    /// The JSON object, with members this version knows nothing of.
    public private(set) var json: JSON

    /// One task. What ran before it puts its result before these arguments, unless the signature is immutable.
    public init(_ task: String, _ arguments: JSON..., keywords: [String: JSON] = [:]) {
        self.init(task, arguments: arguments, keywords: keywords)
    }

    public init(_ task: String, arguments: [JSON], keywords: [String: JSON] = [:]) {
        self.init(task: task, kind: nil, arguments: arguments, keywords: .object(sorted: keywords))
    }

    /// - Parameter keywords: in the order in which they are written.
    public init(_ task: String, arguments: [JSON], keywords: [JSONMember]) {
        self.init(task: task, kind: nil, arguments: arguments, keywords: .object(keywords))
    }

    /// Takes a signature as it came in a message; nil: it is something else.
    package init?(checking json: JSON) {
        guard json.members != nil, json["task"]?.text != nil else { return nil }
        self.json = json
    }

    /// One after the other, each with the result of the one before it as its first argument. After a group comes
    /// what takes the list of its results.
    public static func chain(_ steps: [Signature]) -> Signature {
        Signature(task: "celery.chain", kind: "chain", keywords: .object([member("tasks", steps)]))
    }

    /// At the same time.
    public static func group(_ members: [Signature]) -> Signature {
        Signature(task: "celery.group", kind: "group", keywords: .object([member("tasks", members)]))
    }

    /// At the same time, then `body` with the list of the results.
    public static func chord(_ header: [Signature], body: Signature) -> Signature {
        Signature(
            task: "celery.chord", kind: "chord",
            keywords: .object([
                member("header", header), JSONMember(key: "body", value: body.json),
                JSONMember(key: "kwargs", value: .object([])),
            ]))
    }

    /// The same for a group.
    public static func chord(_ header: Signature, body: Signature) -> Signature {
        var chord = Signature.chord([], body: body)
        chord.keywords = chord.keywords.setting("header", to: header.json)
        return chord
    }

    /// A chain; chains on either side become part of it, unless they have options or callbacks of their own.
    public static func | (left: Signature, right: Signature) -> Signature { .chain(left.steps + right.steps) }

    /// The steps of a chain that says nothing of its own; itself otherwise.
    private var steps: [Signature] {
        let isPlain = options.members?.isEmpty ?? true && json["immutable"] != true
        return kind == "chain" && isPlain ? tasks : [self]
    }

    private init(task: String, kind: String?, arguments: [JSON] = [], keywords: JSON) {
        json = .object([
            JSONMember(key: "task", value: .string(task)), JSONMember(key: "args", value: .array(arguments)),
            JSONMember(key: "kwargs", value: keywords), JSONMember(key: "options", value: .object([])),
            JSONMember(key: "subtask_type", value: kind.map { .string($0) } ?? .null),
            JSONMember(key: "immutable", value: .bool(false)),
        ])
    }

    /// For members that are signatures in JSON already checked.
    package init(unchecked json: JSON) {
        self.json = json
    }

    private static func member(_ key: String, _ list: [Signature]) -> JSONMember {
        JSONMember(key: key, value: .array(list.map(\.json)))
    }
}

// MARK: what it says

extension Signature {
    public var task: String { json["task"]?.text ?? "" }
    /// "chain", "group", "chord"; nil: one task.
    public var kind: String? { json["subtask_type"]?.text }
    public var options: JSON { json["options"] ?? .object([]) }

    /// The steps of a chain, the members of a group, the header of a chord.
    public var tasks: [Signature] {
        let list = kind == "chord" ? keywords["header"] : keywords["tasks"]
        if let header = list, header.members != nil { return Signature(unchecked: header).tasks }
        return (list?.elements ?? []).map { Signature(unchecked: $0) }
    }

    package var keywords: JSON {
        get { json["kwargs"] ?? .object([]) }
        set { json = json.setting("kwargs", to: newValue) }
    }

    /// The same with its own arguments only, whatever ran before it.
    public var immutable: Signature { Signature(unchecked: json.setting("immutable", to: true)) }

    /// The same with an option of Celery's: "queue", "countdown", "expires", "priority", "reply_to" …
    public func option(_ name: String, _ value: JSON) -> Signature {
        Signature(unchecked: json.setting("options", to: options.setting(name, to: value)))
    }

    /// The same, and `next` gets its result.
    public func linked(to next: Signature) -> Signature { adding(next, to: "link") }

    /// The same, and `errback` gets its id should it fail.
    public func linkedError(to errback: Signature) -> Signature { adding(errback, to: "link_error") }

    private func adding(_ other: Signature, to name: String) -> Signature {
        let present: [JSON] =
            switch options[name] {
            case .array(let list)?: list
            case nil, .null?: []
            case let one?: [one]
            }
        return option(name, .array(present + [other.json]))
    }

    /// The same with a stamp, on each of its tasks: clients find it in the results, and can revoke by it.
    public func stamped(_ name: String, _ value: JSON) -> Signature {
        var names = options["stamped_headers"]?.elements ?? []
        if !names.contains(.string(name)) { names.append(.string(name)) }
        var copy = option("stamped_headers", .array(names)).option(name, value)
        copy.rewriteMembers { $0.stamped(name, value) }
        return copy
    }

    /// Changes each signature inside this one, a chord's body too.
    package mutating func rewriteMembers(_ change: (Signature) -> Signature) {
        func changed(_ list: JSON) -> JSON {
            .array((list.elements ?? []).map { change(Signature(unchecked: $0)).json })
        }
        switch kind {
        case "chain", "group":
            keywords = keywords.setting("tasks", to: changed(keywords["tasks"] ?? .array([])))
        case "chord":
            if let header = keywords["header"], header.members != nil {
                keywords = keywords.setting("header", to: change(Signature(unchecked: header)).json)
            } else {
                keywords = keywords.setting("header", to: changed(keywords["header"] ?? .array([])))
            }
            if let body = keywords["body"], body.members != nil {
                keywords = keywords.setting("body", to: change(Signature(unchecked: body)).json)
            }
        default: break
        }
    }
}
