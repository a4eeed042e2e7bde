// Record and settle: the steps of a settlement, one after the other, each confirmed before the next.
//
// Nothing is acknowledged before what must outlive it is confirmed, and nothing is given up: a step that fails is
// tried again until it succeeds, the link takes the message back, or the host ends. A step that can never
// succeed is replaced by steps that say so (PublicationPurpose).
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

enum StepProgress {
    /// It has to be confirmed, or to wait.
    case awaited
    case done
    /// The message is back in its queue.
    case requeued
}

extension EngineCore {
    mutating func take(_ step: Step, of item: InFlight, _ actions: inout [EngineAction]) -> StepProgress {
        if case .publish = step { emitRetried(item, &actions) }
        if let action = action(of: step, Receipt(task: item.id, purpose: .step)) {
            actions.append(action)
            return .awaited
        }
        switch step {
        case .call(let errback):
            call(errback, for: item, &actions)
            return .awaited
        case .acknowledge:
            if let tag = item.tag { actions.append(.acknowledge(tag)) }
        case .reject(let requeue):
            if let tag = item.tag { actions.append(.reject(tag, requeue: requeue)) }
            if requeue { return .requeued }
        case .note(let note): actions.append(.log(note))
        case .pause(let seconds):
            // Gone before the timer fires: an event that resumes this settlement earlier does no harm.
            item.settling?.replaceFirst()
            actions.append(.arm(.step(item.id), afterSeconds: seconds))
            return .awaited
        case .make, .store, .publish, .announce, .addToChord, .part, .claimed, .finishChord, .failChord: break
        }
        return .done
    }

    /// What has to be confirmed; nil: nothing has.
    func action(of step: Step, _ receipt: Receipt) -> EngineAction? {
        switch step {
        case .make(let job, _): .make(job, receipt.task)
        case .store(let record): .store(record, receipt)
        case .publish(let publication, _): .publish(publication, receipt)
        case .announce(let announcement): .announce(announcement, receipt)
        case .addToChord(let group): .addToChord(group, receipt)
        case .part(let part, _): .returnPart(part, receipt)
        case .claimed(let claim, _): .keepClaim(claim, receipt)
        case .finishChord(let claim): .finishChord(claim, receipt)
        case .failChord(let claim): .failChord(claim, receipt)
        case .acknowledge, .reject, .note, .pause, .call: nil
        }
    }

    /// - Parameter isDone: this attempt is over, and its redelivery has nothing left to do.
    mutating func release(_ item: InFlight, isDone: Bool) {
        drop(item)
        if !isDone { known.forget(item) }
        if item.lostStarts > 0 { startNextSuspect(of: item) }
    }

    mutating func stored(_ receipt: Receipt, _ failure: StoreFailure?, _ actions: inout [EngineAction]) {
        guard let item = inFlight[receipt.task] else { return }
        switch receipt.purpose {
        case .state: stateStored(item, failure, &actions)
        case .lookUp, .member: break
        case .step, .sending:
            if let failure, failure.isPermanent, receipt.purpose == .step {
                storeRefused(item, failure, &actions)
            } else {
                confirmed(item, receipt, failure.map { "store its result: \($0)" }, &actions)
            }
        }
    }

    mutating func published(_ receipt: Receipt, _ failure: BrokerFailure?, _ actions: inout [EngineAction]) {
        guard let item = inFlight[receipt.task] else { return }
        if let failure, failure.isPermanent {
            if case .sending(let number) = receipt.purpose {
                sendRefused(item, number, failure, &actions)
            } else {
                publicationRefused(item, failure, &actions)
            }
            return
        }
        confirmed(item, receipt, failure.map { "publish: \($0)" }, &actions)
    }

    mutating func chordKept(_ receipt: Receipt, _ failure: StoreFailure?, _ actions: inout [EngineAction]) {
        guard let item = inFlight[receipt.task] else { return }
        if let failure, failure.isPermanent {
            if case .sending(let number) = receipt.purpose {
                sendRefused(item, number, failure, &actions)
            } else {
                chordRefused(item, failure, &actions)
            }
            return
        }
        confirmed(item, receipt, failure.map { "keep the books of a chord: \($0)" }, &actions)
    }

    private mutating func confirmed(
        _ item: InFlight, _ receipt: Receipt, _ failure: String?, _ actions: inout [EngineAction]
    ) {
        switch (receipt.purpose, failure) {
        case (.sending(let number), nil): sendDone(item, number, &actions)
        case (.sending(let number), let failure?): sendFailed(item, number, what: failure, &actions)
        case (_, nil): stepDone(item, &actions)
        case (_, let failure?): stepFailed(item, what: failure, &actions)
        }
    }

    /// Goes on with the settlement, unless something is still under way that must come before it.
    mutating func tryStepAgain(_ id: InFlightID, _ actions: inout [EngineAction]) {
        guard let item = inFlight[id], let settling = item.settling else { return }
        guard !item.states.isStoring, item.outbox.isEmpty, settling.errback == nil else { return }
        settling.resumes()
        settle(item, settling, &actions)
    }

    /// What failed needs not wait for its pause to be over.
    mutating func retryBacklog(_ actions: inout [EngineAction]) {
        guard backlog.isBehind else { return }
        for item in inFlight.inOrder where item.settling?.isRetrying == true {
            actions.append(.disarm(.step(item.id)))
            tryStepAgain(item.id, &actions)
        }
    }

    mutating func stepDone(_ item: InFlight, _ actions: inout [EngineAction]) { replaceStep(item, by: [], &actions) }

    mutating func replaceStep(_ item: InFlight, by steps: [Step], _ actions: inout [EngineAction]) {
        guard let settling = item.settling, !settling.steps.isEmpty else { return }
        settling.replaceFirst(by: steps)
        settle(item, settling, &actions)
    }

    mutating func stepFailed(_ item: InFlight, what: String, _ actions: inout [EngineAction]) {
        guard let settling = item.settling else { return }
        let pause = Self.pause(after: settling.failed())
        if backlog.failed(item.id, what) { setCredits(&actions) }
        actions.append(.log(.recordingFailed(id: item.message.id, what: what, retryInSeconds: pause)))
        actions.append(.arm(.step(item.id), afterSeconds: pause))
    }

    /// Seconds.
    static func pause(after attempts: Int) -> Double { Backoff(initial: 0.1, max: 30).step(attempts) }

    // ---- the steps' making ----

    func storeStep(_ item: InFlight, _ state: TaskState, _ meta: @autoclosure () -> [UInt8]) -> [Step] {
        guard hasStore, !item.ignoresResult else { return [] }
        return [.store(record(item, state, meta()))]
    }

    func failureStep(_ item: InFlight, _ failure: TaskFailure) -> [Step] {
        let storesErrors = item.policy.storeErrorsEvenIfIgnored ?? options.storeErrorsEvenIfIgnored
        guard hasStore, !item.ignoresResult || storesErrors else { return [] }
        let meta = ResultMeta.failure(
            of: item.message, failure: failure, at: now.wall, children: JSON.array(item.children).bytes,
            extended: extended(item))
        return [.store(record(item, .failure, meta))]
    }

    func record(_ item: InFlight, _ state: TaskState, _ meta: [UInt8]) -> ResultRecord {
        ResultRecord(
            taskID: item.message.id, state: state, meta: meta, replyTo: item.message.replyTo,
            correlationID: item.message.correlationID, expiresAfterSeconds: options.resultExpiresSeconds)
    }

    func deadLetterSteps(_ item: InFlight, _ dead: WireMessage) -> [Step] {
        // A queue with a dead-letter exchange of its own gets its messages the broker's way.
        if intake.declaration(item.delivery.queue)?.arguments["x-dead-letter-exchange"] != nil {
            return [.reject(requeue: false)]
        }
        return [
            .publish(Publication(destination: .deadLetters(of: item.delivery.queue), message: dead), .deadLetter),
            .acknowledge,
        ]
    }

    func publication(of message: WireMessage, to queue: String, dueInSeconds seconds: Double = 0) -> Publication {
        maker.publication(of: message, to: queue, dueInSeconds: seconds)
    }

    func extended(_ item: InFlight) -> ExtendedFields? {
        options.resultExtended
            ? ExtendedFields(worker: options.nodeName, queue: item.delivery.routingKey) : nil
    }
}
