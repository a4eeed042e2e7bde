// Tasks that let others take their place, or add to their chord.

import TaskhostSDK

struct AddReplaced: TaskHandler {
    static let options = suite.options("add_replaced")
    @Arg var x: JSON
    @Arg var y: JSON

    func run(_ task: TaskContext) throws { throw Replace(with: suite.task("add", x, y)) }
}

struct AddReplacedWithChain: TaskHandler {
    static let options = suite.options("add_replaced_with_chain")
    @Arg var x: JSON
    @Arg var y: JSON

    func run(_ task: TaskContext) throws { throw Replace(with: suite.task("add", x, y) | suite.task("identity")) }
}

struct FailReplaced: TaskHandler {
    static let options = suite.options("fail_replaced")
    @Rest var arguments: [JSON]

    func run(_ task: TaskContext) throws {
        throw Replace(with: Signature("\(module).fail", arguments: arguments).immutable)
    }
}

/// Echoes what it is given, or else `message`.
private func echo(_ message: JSON?) -> Signature {
    guard let message, !message.isNull else { return task("redis_echo") }
    return task("redis_echo", message).immutable
}

struct ReplaceWithChain: TaskHandler {
    static let options = suite.options("replace_with_chain")
    @Rest var arguments: [JSON]
    @Named var others: [String: JSON]

    func run(_ task: TaskContext) throws {
        let first = Signature("\(module).identity", arguments: arguments)
        throw Replace(with: (first | suite.task("identity")).linked(to: echo(others["link_msg"])))
    }
}

struct ReplaceWithChainWhichRaises: TaskHandler {
    static let options = suite.options("replace_with_chain_which_raises")
    @Rest var arguments: [JSON]
    @Named var others: [String: JSON]

    func run(_ task: TaskContext) throws {
        let first = Signature("\(module).identity", arguments: arguments)
        throw Replace(with: (first | suite.task("raise_error")).linkedError(to: echo(others["link_msg"])))
    }
}

struct ReplaceWithEmptyChain: TaskHandler {
    static let options = suite.options("replace_with_empty_chain")
    @Rest var others: [JSON]

    func run(_ task: TaskContext) throws { throw Replace(with: .chain([])) }
}

struct ReplaceWithChainWhichContainsAGroup: TaskHandler {
    static let options = suite.options("replace_with_chain_which_contains_a_group")

    func run(_ task: TaskContext) throws {
        throw Replace(
            with: .chain([suite.task("add", 1, 2), .group([suite.task("add", 1), suite.task("add", 1)])]))
    }
}

struct AddToAll: TaskHandler {
    static let options = suite.options("add_to_all")
    @Arg var nums: [JSON]
    @Arg var val: JSON

    func run(_ task: TaskContext) throws { throw Replace(with: .group(nums.map { suite.task("add", $0, val) })) }
}

struct AddToAllToChord: TaskHandler {
    static let options = suite.options("add_to_all_to_chord")
    @Arg var nums: [JSON]
    @Arg var val: JSON

    func run(_ task: TaskContext) throws -> Int {
        for number in nums { try task.addToChord(suite.task("add", number, val)) }
        return 0
    }
}

struct AddChordToChord: TaskHandler {
    static let options = suite.options("add_chord_to_chord")
    @Arg var nums: [JSON]
    @Arg var val: JSON

    func run(_ task: TaskContext) throws -> Int {
        try task.addToChord(.chord(nums.map { suite.task("add", $0, val) }, body: suite.task("tsum")))
        return 0
    }
}

struct RecordReplacedTaskNesting: TaskHandler {
    static let options = suite.options("record_replaced_task_nesting")
    @Arg var replacements: Int
    @Arg var nesting: [JSON]?

    func run(_ task: TaskContext) throws -> [JSON] {
        let levels = (nesting ?? []) + [task.headers["replaced_task_nesting"] ?? 0]
        guard replacements > 0 else { return levels }
        let next = suite.task("record_replaced_task_nesting", .int(Int64(replacements - 1)), .array(levels))
        throw Replace(with: next.option("reply_to", task.replyTo.map { .string($0) } ?? nil))
    }
}

/// Replaces itself twice over: "In" and "Out" of both levels are marked.
private func secondOrder(_ level: String, isAgain: Bool, first: Signature, then: Signature) throws {
    try RedisConnection().command("RPUSH", "redis-echo", "\(isAgain ? "Out" : "In") \(level)")
    if !isAgain { throw Replace(with: first | then.immutable) }
}

struct SecondOrderReplace1: TaskHandler {
    static let options = suite.options("second_order_replace1")
    @Arg var state = false

    func run(_ task: TaskContext) throws {
        try secondOrder(
            "A", isAgain: state, first: suite.task("second_order_replace2"),
            then: suite.task("second_order_replace1", keywords: ["state": true]))
    }
}

struct SecondOrderReplace2: TaskHandler {
    static let options = suite.options("second_order_replace2")
    @Arg var state = false

    func run(_ task: TaskContext) throws {
        try secondOrder(
            "B", isAgain: state, first: suite.task("redis_echo", "In/Out C"),
            then: suite.task("second_order_replace2", keywords: ["state": true]))
    }
}

struct ReplaceWithStampedTask: TaskHandler {
    static let options = suite.options("replace_with_stamped_task")
    @Arg var replacement: Signature?

    enum CodingKeys: String, CodingKey {
        case replacement = "replace_with"
    }

    func run(_ task: TaskContext) throws {
        let signature = replacement ?? suite.task("replaced_with_me")
        throw Replace(with: signature.stamped("StampOnReplace", "This is the replaced task"))
    }
}

struct ReplacedWithMe: TaskHandler {
    static let options = suite.options("replaced_with_me")

    func run(_ task: TaskContext) -> Bool { true }
}
