// Chords: the last part in calls the body, or fails it (celery-protocol.md §4.5).
import Canvas
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

extension EngineCore {
    mutating func partReturned(
        _ receipt: Receipt, _ answer: Result<ChordAnswer, StoreFailure>, _ actions: inout [EngineAction]
    ) {
        guard let item = inFlight[receipt.task], case .part(let part, let body)? = item.settling?.steps.first else {
            return
        }
        switch answer {
        case .failure(let failure) where failure.isPermanent: partRefused(item, part, body, failure, &actions)
        case .failure(let failure): stepFailed(item, what: "report its part of a chord: \(failure)", &actions)
        case .success(.waiting): stepDone(item, &actions)
        case .success(.complete(let claim, let parts)):
            replaceStep(item, by: [.claimed(claim, then: bodySteps(part.groupID, body, parts, claim, item))], &actions)
        case .success(.unjoinable(let claim, let reason)):
            let steps = chordErrorSteps(part.groupID, body, "Join error: \(reason)", nil, claim, item)
            replaceStep(item, by: [.claimed(claim, then: steps)], &actions)
        }
    }

    /// The store will never take this part: a failure that says so takes its place; if even that is refused, the chord
    /// fails here, since it would never be counted.
    private mutating func partRefused(
        _ item: InFlight, _ part: ChordPart, _ body: JSON, _ failure: StoreFailure, _ actions: inout [EngineAction]
    ) {
        actions.append(
            .log(
                .recordingFailed(
                    id: part.taskID, what: "report its part of a chord: \(failure)", retryInSeconds: 0)))
        let error = CeleryFailure.storeRefused(failure.description)
        guard part.state == .success else {
            let reason = "Dependency \(part.taskID) raised \(error.repr)"
            return replaceStep(item, by: chordErrorSteps(part.groupID, body, reason, error, nil, item), &actions)
        }
        var failed = part
        (failed.state, failed.value) = (.failure, error.json.bytes)
        replaceStep(item, by: [.part(failed, body: body)], &actions)
    }

    mutating func claimKept(
        _ receipt: Receipt, _ answer: Result<Bool, StoreFailure>, _ actions: inout [EngineAction]
    ) {
        guard let item = inFlight[receipt.task], case .claimed(_, let then)? = item.settling?.steps.first else {
            return
        }
        switch answer {
        // It can never be kept: the body once too often is better than never.
        case .failure(let failure) where failure.isPermanent: replaceStep(item, by: then, &actions)
        case .failure(let failure): stepFailed(item, what: "keep its claim on a chord: \(failure)", &actions)
        case .success(let isOurs): replaceStep(item, by: isOurs ? then : [], &actions)
        }
    }

    /// - Parameter original: what the failed member raised; members of a group as body end with it.
    func chordErrorSteps(
        _ group: String, _ body: JSON, _ reason: String, _ original: TaskFailure?, _ claim: ChordClaim?,
        _ item: InFlight
    ) -> [Step] {
        let error = TaskFailure(
            type: "ChordError", module: "celery.exceptions", arguments: JSON.array([.string(reason)]).bytes)
        let options = JSONMap(body["options"]?.members ?? [])
        let id = options.text("task_id") ?? makeID()
        let later = errbacksOfChord(around: options)
        var steps: [Step] = [.note(.chordFailed(group: group, body: id, reason: reason))]
        if body["subtask_type"]?.text == "group" {
            for member in body["kwargs"]?["tasks"]?.elements ?? [] {
                steps += fail(member, also: options.list("link_error"), except: later, original ?? error, item)
            }
            steps.append(.store(failureRecord(TaskMessage(id: id, name: ""), original ?? error)))
        } else {
            let request = FailedRequest(id: id, uncalled: body, nodeName: self.options.nodeName)
            let called = errbackSteps(
                options.list("link_error").filter { !later.contains($0) }, request, error, item)
            steps += called.steps
            var message = TaskMessage(id: id, name: "")
            message.replyTo = options.text("reply_to")
            message.correlationID = id
            // Clients find the errbacks of a body that never ran among its children.
            steps.append(.store(failureRecord(message, error, children: item.children + called.children)))
        }
        steps += failChain(options.list("chain"), error, stores: true)
        // It may be a part of another chord itself.
        steps += partSteps(FailedStep.all(of: body), body["subtask_type"]?.text == "group" ? original ?? error : error)
        return steps + (claim.map { [.failChord($0)] } ?? [])
    }

    /// What will be called when the chord fails that this body is a part of. Clients link an errback of a chord to the
    /// body of each chord in its header, too (celery/canvas.py, `chord.link_error`); it is to be called once.
    private func errbacksOfChord(around options: JSONMap) -> [JSON] {
        guard let outer = options["chord"] else { return [] }
        var found = JSONMap(outer["options"]?.members ?? []).list("link_error")
        if outer["subtask_type"]?.text == "group" {
            for member in outer["kwargs"]?["tasks"]?.elements ?? [] {
                found += JSONMap(member["options"]?.members ?? []).list("link_error")
            }
        }
        return found
    }

    /// A member of a group that will not be called.
    private func fail(
        _ member: JSON, also groups: [JSON], except later: [JSON], _ failure: TaskFailure, _ item: InFlight
    ) -> [Step] {
        // A chord's result is its body's.
        var signature = member
        var errbacks: [JSON] = []
        while true {
            errbacks += JSONMap(signature["options"]?.members ?? []).list("link_error")
            guard signature["subtask_type"]?.text == "chord", let body = signature["kwargs"]?["body"] else { break }
            signature = body
        }
        for errback in groups where !errbacks.contains(errback) { errbacks.append(errback) }
        errbacks.removeAll { later.contains($0) }
        guard let id = signature["options"]?["task_id"]?.text else { return [] }
        let called = errbackSteps(
            errbacks, FailedRequest(id: id, uncalled: signature, nodeName: options.nodeName), failure, item)
        return called.steps + [.store(failureRecord(TaskMessage(id: id, name: ""), failure, children: called.children))]
    }
}
