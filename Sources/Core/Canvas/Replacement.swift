// A task that lets another signature give its result (celery-protocol.md §3.10).
public import CeleryWire
import TaskhostJSON

extension Canvas {
    /// Publishes the signature under the task's own id, with everything that was to follow the task.
    public mutating func replace(
        _ message: TaskMessage, _ following: Continuations, by replacement: SignatureTree
    ) throws(CanvasError) {
        guard replacement.options.given("chord") == nil else {
            throw CanvasError("a signature that replaces a task must not be part of a chord")
        }
        guard !replacement.isEmptyChain else { throw CanvasError("a task cannot be replaced by an empty chain") }
        let nesting = JSON.int(Int64(message.replacedTaskNesting + 1))
        var signature = replacement.endingInOneResult
        for callback in following.callbacks { signature.link(callback) }
        for errback in following.errbacks { signature.linkError(errback) }
        if case .chain(var steps) = signature.shape {
            // On the last task, so that they stay its own when further steps follow.
            for callback in signature.options.list("link") { steps[steps.count - 1].append(callback, to: "link") }
            signature.options["link"] = nil
            signature.shape = .chain(steps)
        }
        _ = try freeze(&signature, id: message.id)
        if let chord = following.chord { signature.options["chord"] = chord }
        if let group = message.groupID { signature.options["group_id"] = .string(group) }
        if let index = message.groupIndex { signature.options["group_index"] = .int(Int64(index)) }
        if let root = message.rootID { signature.options["root_id"] = .string(root) }
        signature.options["replaced_task_nesting"] = nesting
        if case .chain(var steps) = signature.shape {
            for index in steps.indices { steps[index].options["replaced_task_nesting"] = nesting }
            signature.shape = .chain(steps)
        }
        for rest in following.chain.reversed() {
            var step = try SignatureTree(rest)
            step.options["replaced_task_nesting"] = nesting
            signature = signature.then(step)
        }
        try apply(signature)
    }

    /// Publishes a further member of the chord that the task is a member of; its result is awaited as well.
    public mutating func addToChord(
        _ message: TaskMessage, _ following: Continuations, _ signature: SignatureTree, id: String
    ) throws(CanvasError) {
        guard let chord = following.chord, let group = message.groupID else {
            throw CanvasError("the task is not a member of any chord")
        }
        var options: JSONMap = ["group_id": .string(group), "chord": chord]
        if let index = message.groupIndex { options["group_index"] = .int(Int64(index)) }
        if let root = message.rootID { options["root_id"] = .string(root) }
        try submit(signature, id: id, options: options)
    }
}

extension SignatureTree {
    /// A group has many results; where one is wanted it becomes a chord whose body gives the first of them.
    fileprivate var endingInOneResult: SignatureTree {
        let first = SignatureTree("celery.accumulate", kwargs: ["index": 0])
        switch shape {
        case .group(let tasks): return .chord(tasks, body: first)
        case .chain(var steps):
            guard case .group(let tasks)? = steps.last?.shape else { return self }
            steps[steps.count - 1] = .chord(tasks, body: first)
            var copy = self
            copy.shape = .chain(steps)
            return copy
        case .task, .chord: return self
        }
    }
}
