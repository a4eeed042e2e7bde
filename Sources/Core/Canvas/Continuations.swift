// What a message says is to follow its task (celery-protocol.md §1.4, §3.6, §3.12, §3.13).
public import TaskhostJSON

/// The third part of a body, read.
public struct Continuations: Sendable, Equatable {
    public var callbacks: [JSON]
    public var errbacks: [JSON]
    /// The next step is the last one.
    public var chain: [JSON]
    /// The body of the chord that the task is a member of.
    public var chord: JSON?

    public static let none = Continuations(.object([]))

    public init(_ embed: JSON) {
        let map = JSONMap(embed.members ?? [])
        callbacks = map.list("callbacks")
        errbacks = map.list("errbacks")
        chain = map.list("chain")
        chord = map.given("chord")
    }
}

extension Canvas {
    /// Calls what follows a success: callbacks, then the next step of the chain.
    public mutating func succeed(_ following: Continuations, with result: JSON) throws(CanvasError) {
        var single: [SignatureTree] = []
        for callback in following.callbacks {
            let signature = try SignatureTree(callback)
            if following.callbacks.count > 1, !signature.isGroup {
                single.append(signature)
            } else {
                try apply(signature, args: [result], options: inherited)
            }
        }
        if !single.isEmpty { try apply(.group(single), args: [result], options: inherited) }
        if let next = following.chain.last {
            var options = inherited
            options["chain"] = .array(following.chain.dropLast())
            try apply(try SignatureTree(next), args: [result], options: options)
        }
    }

    private var inherited: JSONMap {
        var options: JSONMap = [:]
        if let parent = context.parentID { options["parent_id"] = .string(parent) }
        if let root = context.rootID { options["root_id"] = .string(root) }
        if let priority = context.priority { options["priority"] = .int(Int64(priority)) }
        return options
    }

    /// Calls errbacks with the failed task's id, all together as one group.
    /// - Parameters:
    ///   - isCalledHere: whether this one takes (request, exception, traceback): then it gets no message.
    /// - Returns: those that are left to the caller.
    public mutating func fail(
        _ errbacks: [JSON], taskID: String, rootID: String, isCalledHere: (SignatureTree) -> Bool
    ) throws(CanvasError) -> [SignatureTree] {
        var here: [SignatureTree] = []
        var plain: [SignatureTree] = []
        let options: JSONMap = ["parent_id": .string(taskID), "root_id": .string(rootID)]
        for errback in errbacks {
            let signature = try SignatureTree(errback)
            if case .task = signature.shape, isCalledHere(signature) {
                here.append(signature)
            } else {
                plain.append(signature)
            }
        }
        if !plain.isEmpty { try apply(.group(plain), args: [.string(taskID)], options: options) }
        return here
    }

    /// Publishes a signature under an id that its sender knows already: of the task, of a chain's last task, of a
    /// group, or of a chord's body.
    @discardableResult
    public mutating func submit(
        _ signature: SignatureTree, id: String, options: JSONMap = [:]
    ) throws(CanvasError) -> ResultNode? {
        var frozen = signature
        frozen.options.merge(options)
        if frozen.isGroup { frozen.options["task_id"] = .string(id) }
        _ = try freeze(&frozen, id: id)
        return try apply(frozen)
    }
}
