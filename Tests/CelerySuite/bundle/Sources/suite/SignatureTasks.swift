// Tasks that send signatures, return them or look into them.

import TaskhostSDK

struct BuildChainInsideTask: TaskHandler {
    static let options = suite.options("build_chain_inside_task")

    func run(_ task: TaskContext) throws -> SentTask {
        try task.send(
            suite.task("add", 1, 1) | suite.task("add", 2)
                | .group([suite.task("add", 3), suite.task("add", 4)]) | suite.task("add", 5))
    }
}

/// What a group ends with when a task is replaced by it.
struct Accumulate: TaskHandler {
    static let options = TaskOptions(name: "celery.accumulate")
    @Rest var values: [JSON]
    @Named var others: [String: JSON]

    func run(_ task: TaskContext) throws -> JSON {
        guard let index = others["index"]?.integer.map({ Int($0) }) else { return .array(values) }
        guard values.indices.contains(index) else {
            throw TaskError(type: "IndexError", "tuple index out of range")
        }
        return values[index]
    }
}

struct RebuildSignature: TaskHandler {
    static let options = suite.options("rebuild_signature")
    @Arg var signature: JSON

    enum CodingKeys: String, CodingKey {
        case signature = "sig_dict"
    }

    func run(_ task: TaskContext) throws { try check(signature) }

    private func check(_ json: JSON) throws {
        let signature = try Signature(json: json)
        for member in signature.tasks { try check(member.json) }
        if signature.kind == "chord" { try check(json["kwargs"]?["body"] ?? nil) }
    }
}

/// The same kinds inside each other, around a task without arguments.
private enum Kind {
    case chain, group, chord

    func around(_ inner: Signature) -> Signature {
        switch self {
        case .chain: .chain([inner])
        case .group: .group([inner])
        case .chord: .chord([inner], body: suite.task("add"))
        }
    }

    static func nested(_ outer: Kind, _ inner: Kind) -> Signature { outer.around(inner.around(suite.task("add"))) }
}

struct ReturnNestedSignatureChainChain: TaskHandler {
    static let options = suite.options("return_nested_signature_chain_chain")

    func run(_ task: TaskContext) -> Signature { Kind.nested(.chain, .chain) }
}

struct ReturnNestedSignatureChainGroup: TaskHandler {
    static let options = suite.options("return_nested_signature_chain_group")

    func run(_ task: TaskContext) -> Signature { Kind.nested(.chain, .group) }
}

struct ReturnNestedSignatureChainChord: TaskHandler {
    static let options = suite.options("return_nested_signature_chain_chord")

    func run(_ task: TaskContext) -> Signature { Kind.nested(.chain, .chord) }
}

struct ReturnNestedSignatureGroupChain: TaskHandler {
    static let options = suite.options("return_nested_signature_group_chain")

    func run(_ task: TaskContext) -> Signature { Kind.nested(.group, .chain) }
}

struct ReturnNestedSignatureGroupGroup: TaskHandler {
    static let options = suite.options("return_nested_signature_group_group")

    func run(_ task: TaskContext) -> Signature { Kind.nested(.group, .group) }
}

struct ReturnNestedSignatureGroupChord: TaskHandler {
    static let options = suite.options("return_nested_signature_group_chord")

    func run(_ task: TaskContext) -> Signature { Kind.nested(.group, .chord) }
}

struct ReturnNestedSignatureChordChain: TaskHandler {
    static let options = suite.options("return_nested_signature_chord_chain")

    func run(_ task: TaskContext) -> Signature { Kind.nested(.chord, .chain) }
}

struct ReturnNestedSignatureChordGroup: TaskHandler {
    static let options = suite.options("return_nested_signature_chord_group")

    func run(_ task: TaskContext) -> Signature { Kind.nested(.chord, .group) }
}

struct ReturnNestedSignatureChordChord: TaskHandler {
    static let options = suite.options("return_nested_signature_chord_chord")

    func run(_ task: TaskContext) -> Signature { Kind.nested(.chord, .chord) }
}
