// Send: what a task publishes while it runs. It goes out at once; the task is not settled before it is confirmed.
import Canvas
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

extension EngineCore {
    mutating func sent(_ run: RunID, _ submission: Submission, _ actions: inout [EngineAction]) {
        guard let item = inFlight[run: run] ?? inFlight.errback(run)?.item else { return }
        do throws(CanvasError) {
            item.outbox.append(try steps(of: submission, item))
            sendMore(item, &actions)
            if item.outbox.holdsBack() { actions.append(.holdBack(run, true)) }
        } catch {
            actions.append(.log(.notFollowed(id: item.message.id, reason: error.description)))
            // A client that waits for it gets a failure.
            let message = TaskMessage(id: submission.taskID, name: "")
            if hasStore, !submission.taskID.isEmpty {
                settleWith(item, [.store(failureRecord(message, TaskFailure(error)))])
            }
        }
    }

    private func steps(of submission: Submission, _ item: InFlight) throws(CanvasError) -> [Step] {
        var canvas = canvas(for: item)
        switch submission.kind {
        case .send:
            try canvas.submit(try SignatureTree(try Self.read(submission.content)), id: submission.taskID)
        case .addToChord:
            let signature = try SignatureTree(try Self.read(submission.content))
            try canvas.addToChord(item.message, item.continuations, signature, id: submission.taskID)
        case .message:
            let prepared = try PreparedMessage(submission.content, now: now.wall)
            let publication = try publication(of: prepared, for: item)
            guard let call = prepared.call else { return [.publish(publication, .aside)] }
            guard let problem = publication.problem else { return [.publish(publication, .following(call))] }
            settleWith(item, unsendableSteps(call, publication, BrokerFailure(.unsupported, problem), item))
            return []
        case .children:
            item.children += try Self.read(submission.content).elements ?? []
            return []
        }
        item.children += canvas.children
        var steps = try self.steps(of: canvas)
        if submission.kind == .addToChord, joinsChords, let group = item.message.groupID {
            steps.insert(.addToChord(group), at: 0)
        }
        return steps
    }

    /// As its task has made it, with what the host puts into everything a task sends.
    func publication(of prepared: PreparedMessage, for item: InFlight) throws(CanvasError) -> Publication {
        if let reserved = prepared.reservedPlace {
            throw CanvasError("a message of its own to '\(reserved)' is not sent: tasks do not command workers")
        }
        var message = prepared.message
        if prepared.call != nil {
            let terms = terms(of: item)
            if message.headers[TraceContext.parentHeader] == nil { terms.trace?.put(into: &message.headers) }
            CarriedHeaders.put(terms.carried, into: &message.headers)
        }
        guard case .exchange(let name, let key) = prepared.target else {
            let queue = prepared.queue ?? QueueDeclaration(name: prepared.targetQueue)
            return maker.publication(of: message, to: queue, dueInSeconds: prepared.dueInSeconds)
        }
        var publication = Publication(destination: .exchange(name, routingKey: key), message: message)
        // Monitors may be listening or not: that it has been sent is enough.
        publication.isUnconfirmed = prepared.call == nil && message.properties.deliveryMode == 1
        return publication
    }

    private static func read(_ bytes: [UInt8]) throws(CanvasError) -> JSON {
        do throws(JSONError) {
            return try JSON(parsing: bytes, limits: .trusted)
        } catch {
            throw CanvasError("the signature is not JSON: \(error)")
        }
    }

    private func sendMore(_ item: InFlight, _ actions: inout [EngineAction]) {
        for (number, step) in item.outbox.take() {
            if let action = action(of: step, Receipt(task: item.id, purpose: .sending(number))) {
                actions.append(action)
            }
        }
    }

    mutating func sendDone(_ item: InFlight, _ number: UInt64, _ actions: inout [EngineAction]) {
        guard item.outbox.finish(number) != nil else { return }
        sendMore(item, &actions)
        if item.outbox.letsGo(), let run = item.execution?.run ?? item.settling?.errback {
            actions.append(.holdBack(run, false))
        }
        if item.outbox.isEmpty { tryStepAgain(item.id, &actions) }
    }

    mutating func sendFailed(_ item: InFlight, _ number: UInt64, what: String, _ actions: inout [EngineAction]) {
        guard let attempts = item.outbox.fail(number) else { return }
        let pause = Self.pause(after: attempts)
        actions.append(.log(.recordingFailed(id: item.message.id, what: what, retryInSeconds: pause)))
        actions.append(.arm(.sending(item.id, number), afterSeconds: pause))
    }

    /// It will never go out: it fails under its own id, when its sender is settled.
    mutating func sendRefused(
        _ item: InFlight, _ number: UInt64, _ failure: any Error, _ actions: inout [EngineAction]
    ) {
        if case .publish(let publication, .following(let call))? = item.outbox.step(number),
            let failure = failure as? BrokerFailure
        {
            settleWith(item, unsendableSteps(call, publication, failure, item))
        } else {
            actions.append(.log(.notFollowed(id: item.message.id, reason: "\(failure)")))
        }
        sendDone(item, number, &actions)
    }

    mutating func sendAgain(_ id: InFlightID, _ number: UInt64, _ actions: inout [EngineAction]) {
        guard let item = inFlight[id], let step = item.outbox.step(number) else { return }
        if let action = action(of: step, Receipt(task: id, purpose: .sending(number))) { actions.append(action) }
    }

    /// Steps that belong to its settlement, before those that follow from its outcome.
    private func settleWith(_ item: InFlight, _ steps: [Step]) {
        if let settling = item.settling, !settling.steps.isEmpty {
            settling.insertNext(steps)
        } else {
            item.outbox.addFailure(steps)
        }
    }
}
