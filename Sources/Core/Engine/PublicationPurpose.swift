// What a publication is for: it decides what becomes of it if the broker will never take it.
import Canvas
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

enum PublicationPurpose {
    /// Something that follows a task, or that a running task sends: it fails under its own id.
    case following(CanvasCall)
    /// The same task again: retried, restarted, postponed or requeued. It fails, and its message is a dead letter.
    /// - hasFailed: its failure is recorded already.
    case resend(hasFailed: Bool)
    /// A message of ours on its way to the dead letters: nothing else holds it, so it is tried for ever.
    case deadLetter
    /// The dead letter of something that follows: its failure is recorded, so it may be missing.
    case continuationDeadLetter
    /// A message of a running task's that is no task: an event of its own, say. Nobody waits for it.
    case aside
}

extension EngineCore {
    /// The broker will never take this publication, however often it is tried: what it was for ends visibly, and the
    /// settlement goes on.
    mutating func publicationRefused(_ item: InFlight, _ failure: BrokerFailure, _ actions: inout [EngineAction]) {
        guard case .publish(let publication, let purpose)? = item.settling?.steps.first else { return }
        switch purpose {
        case .following(let call):
            replaceStep(item, by: unsendableSteps(call, publication, failure, item), &actions)
        case .resend(let hasFailed):
            actions.append(
                .log(.unsendable(name: item.message.displayName, id: item.message.id, reason: "\(failure)")))
            let reason = "it cannot be sent to its queue again: \(failure)"
            let error = CeleryFailure.unsendable(reason)
            let dead = Republication.deadLetter(
                item.delivery, item.message, reason: reason, kind: .unsendable, report: nil,
                starts: item.message.priorStarts, at: now.wall)
            item.pendingEvents = []
            emitWhenSettled(.failed(error), of: item)
            emitWhenSettled(.deadLettered(reason: reason), of: item)
            // What would have come after it (an acknowledgement) belongs to the attempt that is not to be.
            item.settling?.replaceAll(by: (hasFailed ? [] : failureSteps(item, error)) + deadLetterSteps(item, dead))
            tryStepAgain(item.id, &actions)
        case .deadLetter:
            stepFailed(item, what: "dead-letter it: \(failure)", &actions)
        case .continuationDeadLetter:
            let what = "keep a dead letter of what could not be sent after it: \(failure)"
            actions.append(.log(.recordingFailed(id: item.message.id, what: what, retryInSeconds: 0)))
            stepDone(item, &actions)
        case .aside:
            actions.append(.log(.notFollowed(id: item.message.id, reason: failure.description)))
            stepDone(item, &actions)
        }
    }

    /// As a task that failed before it could run: its own failure, its chord's part, the rest of its chain and its
    /// errbacks; and a dead letter, to be sent once what was wrong is mended.
    func unsendableSteps(
        _ call: CanvasCall, _ publication: Publication, _ failure: BrokerFailure, _ item: InFlight
    ) -> [Step] {
        let parts = JSON(trusting: call.message.body).elements ?? []
        let (args, kwargs) = (parts.first ?? [], parts.dropFirst().first ?? .object([]))
        let following = Continuations(parts.dropFirst(2).first ?? .object([]))
        let message = Self.uncalled(call, args, kwargs)
        let reason = "\(call.taskName)[\(call.taskID)] cannot be sent: \(failure)"
        let error = CeleryFailure.unsendable(reason)
        let stores = hasStore && (message.ignoreResult != true || options.storeErrorsEvenIfIgnored)
        let signature = JSON.object([
            JSONMember(key: "task", value: .string(call.taskName)), JSONMember(key: "args", value: args),
            JSONMember(key: "kwargs", value: kwargs),
        ])
        let called = errbackSteps(
            following.errbacks, FailedRequest(id: call.taskID, uncalled: signature, nodeName: options.nodeName), error,
            item)
        var steps: [Step] = [.note(.unsendable(name: call.taskName, id: call.taskID, reason: "\(failure)"))]
        if stores { steps.append(.store(failureRecord(message, error, children: called.children))) }
        steps += partStep(message, following.chord, .failure, error.json.bytes)
        steps += failChain(following.chain, error, stores: stores) + called.steps
        let dead = Republication.deadLetter(
            Self.delivery(of: publication, for: item), message, reason: reason, kind: .unsendable, report: nil,
            starts: 0, at: now.wall)
        return steps
            + [
                .publish(
                    Publication(destination: .deadLetters(of: item.delivery.queue), message: dead),
                    .continuationDeadLetter)
            ]
    }

    private static func uncalled(_ call: CanvasCall, _ args: JSON, _ kwargs: JSON) -> TaskMessage {
        let headers = call.message.headers
        var message = TaskMessage(id: call.taskID, name: call.taskName)
        message.setArguments(args.bytes, kwargs.bytes)
        message.rootID = headers["root_id"]?.text
        message.parentID = headers["parent_id"]?.text
        message.groupID = headers["group"]?.text
        message.groupIndex = headers["group_index"]?.integer.map { Int(clamping: $0) }
        if case .bool(let ignores)? = headers["ignore_result"] { message.ignoreResult = ignores }
        message.replyTo = call.message.properties.replyTo
        message.correlationID = call.message.properties.correlationID ?? call.taskID
        return message
    }

    /// Where it was to go, as a dead letter says it.
    private static func delivery(of publication: Publication, for item: InFlight) -> Delivery {
        let (queue, exchange, key) =
            switch publication.destination {
            case .queue(let queue): (queue.name, "", queue.name)
            case .exchange(let exchange, let key): (key.isEmpty ? item.delivery.queue : key, exchange, key)
            case .deadLetters(let queue): (queue, "", queue)
            }
        return Delivery(
            tag: item.delivery.tag, queue: queue, exchange: exchange, routingKey: key, redelivered: false,
            message: publication.message)
    }

    // ---- what a store will never take ----

    /// The store will never take this record. Of the task's own result a failure that says so is stored in its place;
    /// if even that is refused, the message is dead-lettered. The record of another task is only logged.
    mutating func storeRefused(_ item: InFlight, _ failure: StoreFailure, _ actions: inout [EngineAction]) {
        guard case .store(let record)? = item.settling?.steps.first else { return }
        actions.append(
            .log(.recordingFailed(id: record.taskID, what: "store its result: \(failure)", retryInSeconds: 0)))
        guard record.taskID == item.message.id else { return stepDone(item, &actions) }
        if record.state != .failure {
            let error = CeleryFailure.storeRefused(failure.description)
            // No observer gets that it has succeeded when its result says that it has failed.
            item.pendingEvents = item.pendingEvents.map { if case .succeeded = $0 { .failed(error) } else { $0 } }
            return replaceStep(item, by: failureStep(item, error), &actions)
        }
        guard let settling = item.settling else { return }
        settling.replaceFirst()
        // Its other steps (its part of a chord, errbacks) are done; only the end is another one.
        let isDeadLettered = settling.steps.contains { if case .publish(_, .deadLetter) = $0 { true } else { false } }
        if case .acknowledge? = settling.steps.last, !isDeadLettered {
            let dead = Republication.deadLetter(
                item.delivery, item.message, reason: "the result store refused its result: \(failure.detail)",
                kind: .unrecorded, report: nil, starts: item.starts, at: now.wall)
            settling.replaceAll(by: settling.steps.dropLast() + deadLetterSteps(item, dead))
        }
        tryStepAgain(item.id, &actions)
    }

    /// The store will never do this for a chord.
    mutating func chordRefused(_ item: InFlight, _ failure: StoreFailure, _ actions: inout [EngineAction]) {
        guard let step = item.settling?.steps.first else { return }
        actions.append(
            .log(
                .recordingFailed(
                    id: item.message.id, what: "keep the books of a chord: \(failure)", retryInSeconds: 0)))
        guard case .announce(let chord) = step else { return stepDone(item, &actions) }
        // Its parts will never be counted.
        replaceStep(
            item,
            by: chordErrorSteps(
                chord.groupID, chord.body.json, "Callback error: the result store refused it: \(failure.detail)", nil,
                nil, item), &actions)
    }
}
