// Chords: the last part in calls the body, or fails it (celery-wire.md §4.5).
import Canvas
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

extension EngineCore {
    mutating func partReturned(
        _ receipt: Receipt, _ answer: Result<ChordAnswer, StoreFailure>, _ actions: inout [EngineAction]
    ) {
        guard let item = held[receipt.held], case .part(let part, let body)? = item.steps.first else { return }
        switch answer {
        case .failure(let failure): stepFailed(item, what: "report its part of a chord: \(failure)", &actions)
        case .success(.waiting): stepDone(item, &actions)
        case .success(.complete(let claim, let parts)):
            replaceStep(item, by: [.claimed(claim, then: bodySteps(part.groupID, body, parts, claim, item))], &actions)
        case .success(.unjoinable(let claim, let reason)):
            let steps = chordErrorSteps(part.groupID, body, "Join error: \(reason)", nil, claim, item)
            replaceStep(item, by: [.claimed(claim, then: steps)], &actions)
        }
    }

    mutating func claimKept(
        _ receipt: Receipt, _ answer: Result<Bool, StoreFailure>, _ actions: inout [EngineAction]
    ) {
        guard let item = held[receipt.held], case .claimed(_, let then)? = item.steps.first else { return }
        switch answer {
        case .failure(let failure): stepFailed(item, what: "keep its claim on a chord: \(failure)", &actions)
        case .success(let isOurs): replaceStep(item, by: isOurs ? then : [], &actions)
        }
    }

    /// - Parameters:
    ///   - parts: in order; each JSON `[1, task id, state, value]`.
    ///   - claim: nil: nobody keeps books of this chord.
    func bodySteps(
        _ group: String, _ body: JSON, _ parts: [[UInt8]], _ claim: ChordClaim?, _ item: Held
    ) -> [Step] {
        var results: [JSON] = []
        for bytes in parts {
            guard let report = JSON(trusting: bytes).elements, report.count == 4, let state = report[2].text else {
                return chordErrorSteps(group, body, "Join error: a part is unreadable", nil, claim, item)
            }
            if state == TaskState.failure.rawValue || state == TaskState.revoked.rawValue {
                let failure = TaskFailure(report[3])
                let reason = "Dependency \(report[1].text ?? "?") raised \(failure.repr)"
                return chordErrorSteps(group, body, reason, failure, claim, item)
            }
            results.append(report[3])
        }
        var canvas = canvas(for: item)
        do throws(CanvasError) {
            try canvas.apply(try Signature(body), args: [.array(results)])
            return try steps(of: canvas) + (claim.map { [.finishChord($0)] } ?? [])
        } catch {
            return chordErrorSteps(group, body, "Callback error: \(error)", nil, claim, item)
        }
    }

    /// - Parameter original: what the failed member raised; members of a group as body end with it.
    func chordErrorSteps(
        _ group: String, _ body: JSON, _ reason: String, _ original: TaskFailure?, _ claim: ChordClaim?, _ item: Held
    ) -> [Step] {
        let error = TaskFailure(
            type: "ChordError", module: "celery.exceptions", arguments: JSON.array([.string(reason)]).bytes)
        let options = JSONMap(body["options"]?.members ?? [])
        let id = options.text("task_id") ?? makeID()
        var steps: [Step] = [.note(.chordFailed(group: group, body: id, reason: reason))]
        if body["subtask_type"]?.text == "group" {
            for member in body["kwargs"]?["tasks"]?.elements ?? [] {
                steps += fail(member, also: options.list("link_error"), original ?? error, item)
            }
            steps.append(.store(failureRecord(TaskMessage(id: id, name: ""), original ?? error)))
        } else {
            let request = FailedRequest(id: id, uncalled: body, nodeName: self.options.nodeName)
            let called = errbackSteps(options.list("link_error"), request, error, item)
            steps += called.steps
            var message = TaskMessage(id: id, name: "")
            message.replyTo = options.text("reply_to")
            message.correlationID = id
            // Clients find the errbacks of a body that never ran among its children.
            steps.append(.store(failureRecord(message, error, children: item.children + called.children)))
        }
        return steps + failChain(options.list("chain"), error, stores: true) + (claim.map { [.failChord($0)] } ?? [])
    }

    /// A member of a group that will not be called.
    private func fail(_ member: JSON, also groups: [JSON], _ failure: TaskFailure, _ item: Held) -> [Step] {
        // A chord's result is its body's.
        var signature = member
        var errbacks: [JSON] = []
        while true {
            errbacks += JSONMap(signature["options"]?.members ?? []).list("link_error")
            guard signature["subtask_type"]?.text == "chord", let body = signature["kwargs"]?["body"] else { break }
            signature = body
        }
        for errback in groups where !errbacks.contains(errback) { errbacks.append(errback) }
        guard let id = signature["options"]?["task_id"]?.text else { return [] }
        let called = errbackSteps(
            errbacks, FailedRequest(id: id, uncalled: signature, nodeName: options.nodeName), failure, item)
        return called.steps + [.store(failureRecord(TaskMessage(id: id, name: ""), failure, children: called.children))]
    }
}
