// Applying signatures: from "call this with that" to the messages to publish and the chords to announce.
public import CeleryWire
public import TaskModel
public import TaskhostJSON

/// Who calls, and how it names what it makes.
public struct CanvasContext {
    /// The task whose continuations these are; nil: a client calls.
    public var parentID: String?
    public var rootID: String?
    /// The priority to pass on (`task_inherit_parent_priority`); nil: none.
    public var priority: UInt8?
    /// For signatures that name none.
    public var replyTo: String?
    /// "gen<pid>@<host>".
    public var origin: String
    public var now: WallTime
    /// How bodies go out, unless a signature says otherwise.
    public var serializer = ContentType.json
    public var compression: Compression?
    /// The span that what is sent comes from.
    public var trace: TraceContext?
    /// Headers that travel on with everything that is sent, unless a signature names its own.
    public var carried: FieldTable = [:]
    public var makeID: () -> String

    public init(
        parentID: String? = nil, rootID: String? = nil, priority: UInt8? = nil, replyTo: String?, origin: String,
        now: WallTime, makeID: @escaping () -> String
    ) {
        self.parentID = parentID
        self.rootID = rootID
        self.priority = priority
        self.replyTo = replyTo
        self.origin = origin
        self.now = now
        self.makeID = makeID
    }
}

/// To be done in order, each confirmed before the next.
public enum CanvasEffect: Sendable {
    case publish(CanvasCall)
    /// Before the first message of a chord's header: workers count its parts as they come.
    case announce(ChordAnnouncement)
}

public struct ChordAnnouncement: Sendable, Equatable {
    public var groupID: String
    public var size: Int
    /// Group tuple, when the header contains groups whose results have to be joined from the members'.
    public var savedGroup: JSON?
    /// Tuples of the header's results, for stores that cannot count parts.
    public var results: [JSON]
    public var body: SignatureTree

    /// Group tuple.
    /// - Parameter always: also of a header without groups.
    public func savedGroup(always: Bool) -> JSON? {
        always ? savedGroup ?? .array([.array([.string(groupID), .null]), .array(results)]) : savedGroup
    }
}

/// Collects effects; one per settled task, or per call of a client.
public struct Canvas {
    let context: CanvasContext
    public private(set) var effects: [CanvasEffect] = []
    /// Result tuples for the `children` of the calling task.
    public private(set) var children: [JSON] = []

    public init(_ context: CanvasContext) { self.context = context }

    /// Calls a signature (celery-protocol.md §3.11).
    /// - Parameters:
    ///   - args: prepended to the stored ones, unless the signature is immutable.
    ///   - options: over the stored ones.
    /// - Returns: its result-to-be; nil: an empty chain, nothing is called.
    @discardableResult
    public mutating func apply(
        _ signature: SignatureTree, args: [JSON] = [], kwargs: JSONMap = [:], options: JSONMap = [:]
    ) throws(CanvasError) -> ResultNode? {
        try apply(signature, args, kwargs, options, isChild: true)
    }

    mutating func apply(
        _ signature: SignatureTree, _ args: [JSON], _ kwargs: JSONMap, _ options: JSONMap, isChild: Bool
    ) throws(CanvasError) -> ResultNode? {
        switch signature.shape {
        case .task: publish(signature.called(args: args, kwargs: kwargs, options: options), isChild: isChild)
        case .group: try applyGroup(signature, args, kwargs, options, isChild: isChild)
        case .chain: try applyChain(signature, args, kwargs, options, isChild: isChild)
        case .chord: try applyChord(signature, args, kwargs, options, isChild: isChild)
        }
    }

    private mutating func publish(_ signature: SignatureTree, isChild: Bool) -> ResultNode {
        let id = signature.id ?? context.makeID()
        effects.append(.publish(CanvasCall(signature, id: id, context)))
        let node = ResultNode(id)
        if isChild { children.append(node.json) }
        return node
    }

    private mutating func applyChain(
        _ chain: SignatureTree, _ args: [JSON], _ kwargs: JSONMap, _ call: JSONMap, isChild: Bool
    ) throws(CanvasError) -> ResultNode? {
        var options = chain.options
        options.merge(call)
        var (steps, results) = try prepare(
            chain.members ?? [], args: chain.isImmutable ? chain.args : args + chain.args,
            kwargs: chain.isImmutable ? [:] : kwargs, errbacks: options.list("link_error"),
            id: options.text("task_id"),
            Frame(
                group: options.text("group_id"), chord: options.given("chord"), root: options.text("root_id"),
                index: options.given("group_index")))
        guard !steps.isEmpty else { return nil }
        for callback in options.list("link") { steps[0].append(callback, to: "link") }
        let first = steps.removeLast()
        var passed = options.without(
            "chord", "group_id", "group_index", "link", "link_error", "parent_id", "root_id", "task_id")
        // The steps of an outer chain come first in the list, since the list is worked off from its end.
        passed["chain"] = .array(options.list("chain") + steps.map(\.json))
        let applied = try apply(first, [], [:], passed, isChild: isChild)
        return steps.isEmpty ? applied : results.removeFirst()
    }

    private mutating func applyGroup(
        _ group: SignatureTree, _ args: [JSON], _ kwargs: JSONMap, _ call: JSONMap, isChild: Bool,
        announcing announcement: ChordAnnouncement? = nil
    ) throws(CanvasError) -> ResultNode {
        // Errbacks that the group itself has take the place of its members'.
        var options = group.options.called(with: call.without("link", "link_error")).without("group_index")
        if let rest = options["chain"]?.elements, let next = rest.last, options.given("chord") == nil {
            return try applyGroup(group, args, kwargs, options, before: next, rest.dropLast(), isChild: isChild)
        }
        let id = options.text("task_id") ?? context.makeID()
        options["task_id"] = nil
        options["group_id"] = .string(id)
        let chord = options.given("chord")
        options["chord"] = nil
        var members: [SignatureTree] = []
        var results: [ResultNode] = []
        try gather(group.members ?? [], id, root: options.text("root_id"), into: &members, &results)
        // Members of a group within a chord report to the outer one, which has counted them.
        if let last = members.last, let body = chord ?? last.options.given("chord"), last.reportedGroup == id {
            var due: ChordAnnouncement
            if let announcement {
                due = announcement
            } else {
                due = ChordAnnouncement(
                    groupID: id, size: 0, savedGroup: nil, results: results.map(\.json),
                    body: try SignatureTree(body))
            }
            due.size = members.reduce(0) { $0 + $1.size }
            effects.append(.announce(due))
        }
        for member in members {
            var passed = options
            passed["chord"] = chord ?? member.options.given("chord")
            _ = try apply(member, args, kwargs, passed, isChild: false)
        }
        var node = ResultNode(id, members: results)
        if results.count == 1, results[0].members != nil { node = results[0] }
        if isChild, !members.isEmpty { children.append(node.json) }
        return node
    }

    /// A group that is not the end of its chain: what follows waits for all its members, so it is a chord's header.
    private mutating func applyGroup(
        _ group: SignatureTree, _ args: [JSON], _ kwargs: JSONMap, _ options: JSONMap, before next: JSON,
        _ rest: ArraySlice<JSON>, isChild: Bool
    ) throws(CanvasError) -> ResultNode {
        var header = group
        // Clients leave the group there that came before; these are parts of one of their own.
        header.forgetReport()
        var body = try SignatureTree(next)
        if !rest.isEmpty { body.options["chain"] = .array(Array(rest)) }
        let chord = SignatureTree(
            "celery.chord",
            .chord(
                SignatureTree.Chord(
                    header: header.members ?? [], headerOptions: header.options.without("chain"), body: body)))
        let passed = options.without("chain", "group_id", "link", "link_error", "task_id")
        guard let result = try applyChord(chord, args, kwargs, passed, isChild: isChild) else {
            throw CanvasError("a group within a chain cannot be called")
        }
        return result
    }

    /// Nested groups give their members, numbered within each.
    private mutating func gather(
        _ tasks: [SignatureTree], _ group: String, root: String?, into members: inout [SignatureTree],
        _ results: inout [ResultNode]
    ) throws(CanvasError) {
        for (index, task) in tasks.enumerated() {
            if case .group(let inner) = task.shape {
                try gather(inner, group, root: root, into: &members, &results)
            } else if !task.isEmptyChain {
                var member = task
                let frame = Frame(group: group, root: root, index: .int(Int64(index)))
                results.append(try freeze(&member, id: nil, frame))
                members.append(member)
            }
        }
    }

    private mutating func applyChord(
        _ signature: SignatureTree, _ args: [JSON], _ kwargs: JSONMap, _ call: JSONMap, isChild: Bool
    ) throws(CanvasError) -> ResultNode? {
        guard case .chord(let chord) = signature.shape else { return nil }
        var options = signature.options
        options.merge(call) { !$0.value.isNull }
        let delay = ["countdown", "eta"].compactMap { key in
            options.given(key).map { JSONMember(key: key, value: $0) }
        }
        let bodyID = options.text("task_id") ?? context.makeID()
        let id = chord.headerOptions?.text("task_id") ?? signature.id ?? context.makeID()
        let forBody = options.without("countdown", "eta", "task_id", "parent_id", "link", "link_error")

        var body = chord.body
        let root = body.options.called(with: call).text("root_id")
        for callback in options.list("link") { body.link(callback) }
        for errback in options.list("link_error") { body.linkErrorOfBody(errback) }
        body.options.merge(forBody) { !$0.value.isNull }
        let result = try freeze(&body, id: bodyID, Frame(group: id, root: root))

        var header = SignatureTree.group(chord.header, options: chord.headerOptions ?? [:])
        header.options["task_id"] = .string(id)
        let headerResult = try freeze(&header, id: nil, Frame(group: id, chord: body.json, root: root))
        let members = headerResult.members ?? []
        if members.isEmpty {
            _ = try apply(body, [[]], [:], [:], isChild: isChild)
        } else {
            var passed = options.without("countdown", "eta", "chain", "chord", "task_id", "link", "link_error")
            passed.merge(JSONMap(delay))
            let announcement = ChordAnnouncement(
                // A bare nil would be JSON's null here.
                groupID: id, size: 0,
                savedGroup: members.contains { $0.members != nil } ? headerResult.json : JSON?.none,
                results: members.map(\.json), body: body)
            var headerKeywords = JSONMap(chord.kwargs.members ?? [])
            headerKeywords.merge(kwargs)
            _ = try applyGroup(
                header, signature.isImmutable ? signature.args : args + signature.args, headerKeywords, passed,
                isChild: isChild, announcing: announcement)
        }
        result.eldest.parent = headerResult
        return result
    }
}

extension SignatureTree {
    /// A group that has errbacks of its own uses these instead of its members'.
    fileprivate mutating func linkErrorOfBody(_ errback: JSON) {
        if isGroup, options.given("link_error") == nil {
            linkError(errback)
        } else {
            append(errback, to: "link_error")
        }
    }
}
