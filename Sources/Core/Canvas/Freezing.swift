// Freezing: every task of a signature gets its id, its group and whom it reports to, before anything is published.
import TaskhostJSON

/// What the surroundings of a signature say about it.
struct Frame {
    var group: String?
    /// The body of the chord it is a member of.
    var chord: JSON?
    var root: String?
    /// Its place in the group, a JSON integer.
    var index: JSON?
}

extension Canvas {
    /// - Parameter id: for the task that gives the signature's result; one that it has already is kept.
    public mutating func freeze(_ signature: inout SignatureTree, id: String?) throws(CanvasError) -> ResultNode {
        try freeze(&signature, id: id, Frame())
    }

    mutating func freeze(
        _ signature: inout SignatureTree, id: String?, _ frame: Frame
    ) throws(CanvasError) -> ResultNode {
        switch signature.shape {
        case .task: return freezeTask(&signature, id: id, frame)
        case .group(let tasks): return try freezeGroup(&signature, tasks, frame)
        case .chord(var chord):
            let result = try freezeChord(&chord, &signature.options, id: id, frame)
            signature.shape = .chord(chord)
            return result
        case .chain(let tasks):
            let prepared = try prepare(tasks, args: signature.args, kwargs: [:], errbacks: [], id: id, frame)
            guard let result = prepared.results.first else { throw CanvasError("a chain without tasks has no result") }
            signature.shape = .chain(prepared.steps.reversed())
            signature.args = []
            signature.options["task_id"] = .string(result.id)
            return result
        }
    }

    private func freezeTask(_ task: inout SignatureTree, id: String?, _ frame: Frame) -> ResultNode {
        let own = task.id ?? id ?? context.makeID()
        task.options["task_id"] = .string(own)
        if let root = frame.root { task.options["root_id"] = .string(root) }
        if let replyTo = context.replyTo, task.options["reply_to"] == nil {
            task.options["reply_to"] = .string(replyTo)
        }
        take(frame, &task.options)
        return ResultNode(own)
    }

    private func take(_ frame: Frame, _ options: inout JSONMap) {
        if let group = frame.group, options.given("group_id") == nil { options["group_id"] = .string(group) }
        if let chord = frame.chord { options["chord"] = chord }
        if let index = frame.index { options["group_index"] = index }
    }

    /// Members of nested groups come out in front of what follows, the last of them first: clients rely on that order.
    private mutating func freezeGroup(
        _ group: inout SignatureTree, _ tasks: [SignatureTree], _ frame: Frame
    ) throws(CanvasError) -> ResultNode {
        let id = group.id ?? context.makeID()
        group.options["task_id"] = .string(id)
        take(frame, &group.options)
        if let root = frame.root, group.options.given("root_id") == nil { group.options["root_id"] = .string(root) }
        var stack = Array(tasks.reversed())
        var members: [SignatureTree] = []
        var results: [ResultNode] = []
        while var next = stack.popLast() {
            if case .group(let inner) = next.shape {
                stack.append(contentsOf: inner)
            } else if !next.isEmptyChain {
                var place = frame
                place.index = .int(Int64(members.count))
                results.append(try freeze(&next, id: nil, place))
                members.append(next)
            }
        }
        group.shape = .group(members)
        return ResultNode(id, members: results)
    }

    /// The header's tasks learn of the body only when they are published: until then it travels once.
    private mutating func freezeChord(
        _ chord: inout SignatureTree.Chord, _ options: inout JSONMap, id: String?, _ frame: Frame
    ) throws(CanvasError) -> ResultNode {
        var header = SignatureTree.group(chord.header, options: chord.headerOptions ?? [:])
        let headerResult = try freeze(&header, id: nil, Frame(root: frame.root))
        header.forgetChord()
        chord.header = header.members ?? []
        chord.headerOptions = header.options
        options["task_id"] = .string(headerResult.id)
        let result = try freeze(&chord.body, id: id, frame)
        result.eldest.parent = headerResult
        return result
    }

    /// Makes the steps of a chain fit to be published one after the other: no chains within, no group before another
    /// step (that is a chord), ids for all. In reverse order, as they travel.
    mutating func prepare(
        _ tasks: [SignatureTree], args: [JSON], kwargs: JSONMap, errbacks: [JSON], id: String?, _ frame: Frame
    ) throws(CanvasError) -> (steps: [SignatureTree], results: [ResultNode]) {
        var waiting = Self.withPlainHead(tasks)
        var steps: [SignatureTree] = []
        var results: [ResultNode] = []
        var previous: ResultNode?
        var isLast = true
        while let next = waiting.popLast() {
            var task = next.unrolled
            if task.isEmptyGroup, !waiting.isEmpty || !steps.isEmpty { continue }
            if let tail = task.withoutTail {
                waiting += tail
                continue
            }
            if case .chain(let inner) = task.shape {
                waiting += inner
                continue
            }
            if waiting.isEmpty { task = task.called(args: args, kwargs: kwargs) }
            if case .group(let header) = task.shape, let body = steps.popLast() {
                task = .chord(header, body: body)
                let bodyResult = results.removeLast()
                // Later steps follow the chord's result now, which is a node of its own.
                var follower = results.last
                while let node = follower, node.parent !== bodyResult { follower = node.parent }
                if let follower {
                    follower.parent = nil
                    previous = follower
                }
            }
            let result = try freeze(&task, id: isLast ? id : nil, isLast ? frame : Frame(root: frame.root))
            isLast = false
            if !steps.isEmpty, let previous, previous.parent == nil { previous.parent = result }
            for errback in errbacks { task.linkError(errback) }
            steps.append(task)
            results.append(result)
            if case .chord = task.shape { previous = result.eldest } else { previous = result }
        }
        return (steps, results)
    }

    /// The first step gets the arguments, so that has to be a task, a chord, or a group with members.
    private static func withPlainHead(_ tasks: [SignatureTree]) -> [SignatureTree] {
        var steps = tasks
        var dropped: SignatureTree?
        while let head = steps.first {
            if case .chain(let inner) = head.shape {
                steps.replaceSubrange(0..<1, with: inner)
                continue
            }
            steps[0] = head.unrolled
            guard steps.count > 1, steps[0].isEmptyGroup else {
                if steps[0].isChain { continue }
                break
            }
            dropped = steps.removeFirst()
        }
        return steps.isEmpty ? dropped.map { [$0] } ?? [] : steps
    }
}
