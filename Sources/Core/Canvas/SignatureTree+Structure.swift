// How signatures are joined, linked, unrolled and counted (celery-protocol.md §3.11).
public import TaskhostJSON

extension SignatureTree {
    /// First this one, then the other with its result.
    public func then(_ next: SignatureTree) -> SignatureTree {
        // A chord stays one: what is to follow it follows its body.
        if case .chord(var chord) = shape, !next.isGroup, !next.isChain {
            chord.body = chord.body.then(next)
            var copy = self
            copy.shape = .chord(chord)
            return copy
        }
        return .chain(unchained + next.unchained)
    }

    public static func | (first: SignatureTree, next: SignatureTree) -> SignatureTree { first.then(next) }

    /// The steps of a chain, with what was linked to the chain as a whole; anything else is its own only step.
    var unchained: [SignatureTree] {
        guard case .chain(var steps) = shape else { return [self] }
        guard !steps.isEmpty else { return [] }
        for callback in options.list("link") { steps[steps.count - 1].link(callback) }
        for errback in options.list("link_error") { for index in steps.indices { steps[index].linkError(errback) } }
        return steps
    }

    /// Calls back with its result when it succeeds: a chord with its body's, a group with that of its first member.
    public mutating func link(_ callback: JSON) {
        switch shape {
        case .task, .chain: append(callback, to: "link")
        case .chord(var chord):
            chord.body.link(callback)
            shape = .chord(chord)
        case .group(var tasks):
            guard !tasks.isEmpty, case .object(let members) = callback else { return append(callback, to: "link") }
            // A single member's result is no group's result.
            var whole = JSONMap(members)
            whole["immutable"] = true
            tasks[0].link(whole.json)
            shape = .group(tasks)
        }
    }

    /// Called with the failed task's id.
    public mutating func linkError(_ errback: JSON) {
        switch shape {
        case .task, .chain: append(errback, to: "link_error")
        case .group(var tasks):
            for index in tasks.indices { tasks[index].linkError(errback) }
            shape = .group(tasks)
        case .chord(var chord):
            for index in chord.header.indices {
                if case .chord = chord.header[index].shape { chord.header[index].linkError(errback) }
            }
            chord.body.linkError(errback)
            shape = .chord(chord)
        }
    }

    mutating func append(_ value: JSON, to key: String) {
        let list = options.list(key)
        if !list.contains(value) { options[key] = .array(list + [value]) }
    }

    /// Arguments in front of its own, unless it takes none; options as `merge(_:)` says.
    func called(args: [JSON], kwargs: JSONMap, options: JSONMap = [:]) -> SignatureTree {
        var copy = self
        if !isImmutable {
            copy.args = args + self.args
            copy.kwargs.merge(kwargs)
        }
        copy.options = self.options.called(with: options)
        return copy
    }

    /// A group of one is that one.
    var unrolled: SignatureTree {
        if case .group(let tasks) = shape, tasks.count == 1 { tasks[0] } else { self }
    }

    var isEmptyGroup: Bool { if case .group(let tasks) = shape { tasks.isEmpty } else { false } }
    var isEmptyChain: Bool { if case .chain(let tasks) = shape { tasks.isEmpty } else { false } }

    /// A chord whose body is a chain, as a chord of that chain's first task and its other tasks as steps; nil for all
    /// else. A chain that begins with a group has to stay the body.
    var withoutTail: [SignatureTree]? {
        guard case .chord(var chord) = shape, case .chain(let tail) = chord.body.shape, tail.first?.isGroup == false
        else { return nil }
        let steps = chord.body.unchained
        let passed = chord.body.options.without(
            "chord", "group_id", "group_index", "link", "link_error", "parent_id", "root_id", "task_id")
        var first = steps[0]
        first.options = first.options.called(with: passed)
        chord.body = first
        var copy = self
        copy.shape = .chord(chord)
        return [copy] + steps.dropFirst()
    }

    /// How many tasks report to the chord that this is a member of.
    public var size: Int {
        switch shape {
        case .task: 1
        case .group(let tasks): tasks.reduce(0) { $0 + $1.size }
        case .chord(let chord): chord.body.size
        case .chain(let tasks): tasks.last { $0.size > 0 }?.size ?? 0
        }
    }

    /// Whom its last tasks report to is said again when they are published.
    mutating func forgetChord() { forget(["chord"]) }

    /// The same, and as whose members: they are to become those of another group.
    mutating func forgetReport() { forget(["chord", "group_id"]) }

    private mutating func forget(_ keys: [String]) {
        for key in keys { options[key] = nil }
        switch shape {
        case .task: break
        case .group(var tasks):
            for index in tasks.indices { tasks[index].forget(keys) }
            shape = .group(tasks)
        case .chain(var tasks):
            guard !tasks.isEmpty else { return }
            tasks[tasks.count - 1].forget(keys)
            shape = .chain(tasks)
        case .chord(var chord):
            chord.body.forget(keys)
            shape = .chord(chord)
        }
    }

    /// The group whose chord it reports to when it is done.
    var reportedGroup: String? {
        switch shape {
        case .task, .group: options.text("group_id")
        case .chain(let tasks): tasks.last?.reportedGroup
        case .chord(let chord): chord.body.reportedGroup
        }
    }
}

extension JSONMap {
    /// Options of a call over stored ones: nulls are not given; what decides to whom a task reports, and its stamps,
    /// never change once set.
    func called(with call: JSONMap) -> JSONMap {
        var fixed: Set<String> = ["group_id", "stamped_headers"]
        for name in list("stamped_headers") { if let name = name.text { fixed.insert(name) } }
        var merged = self
        merged.merge(call) { !$0.value.isNull && (!fixed.contains($0.key) || given($0.key) == nil) }
        return merged
    }
}
