// Record and settle: the steps of a settlement, one after the other, each confirmed before the next.
//
// Nothing is acknowledged before what must outlive it is confirmed, and nothing is given up: a step that fails is
// tried again until it succeeds, the link takes the message back, or the host is told to leave.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

extension EngineCore {
    /// - Parameters:
    ///   - done: this attempt is over. Not so if the same attempt goes on elsewhere: given back, postponed, buried
    ///     (a dead letter may be sent again).
    mutating func record(_ item: Held, _ steps: [Step], done: Bool = true, _ actions: inout [EngineAction]) {
        item.isDone = done
        asking.remove(item.id)
        item.phase = .recording
        item.steps = steps
        item.stepAttempts = 0
        // A state under way must not overtake the final one.
        item.nextState = nil
        endLimit(item, &actions)
        tryStepAgain(item.id, &actions)
    }

    private mutating func advance(_ item: Held, _ actions: inout [EngineAction]) {
        while let step = item.steps.first {
            if case .call(let errback) = step { return call(errback, for: item, &actions) }
            if case .publish = step { tellRetried(item, &actions) }
            if let action = action(of: step, Receipt(held: item.id, purpose: .step)) {
                actions.append(action)
                return
            }
            switch step {
            case .acknowledge:
                if let tag = item.tag { actions.append(.acknowledge(tag)) }
            case .reject(let requeue):
                if let tag = item.tag { actions.append(.reject(tag, requeue: requeue)) }
            case .note(let note): actions.append(.log(note))
            case .pause(let seconds):
                // Gone before the timer rings: whatever wakes this settlement earlier does no harm.
                item.steps.removeFirst()
                return actions.append(.arm(.step(item.id), afterSeconds: seconds))
            case .store, .publish, .announce, .addToChord, .part, .claimed, .finishChord, .failChord, .call: break
            }
            item.steps.removeFirst()
        }
        if item.isDone { known.settles(item) }
        tellSettled(item, &actions)
        release(item)
    }

    /// What has to be confirmed; nil: nothing has.
    func action(of step: Step, _ receipt: Receipt) -> EngineAction? {
        switch step {
        case .store(let record): .store(record, receipt)
        case .publish(let publication): .publish(publication, receipt)
        case .announce(let announcement): .announce(announcement, receipt)
        case .addToChord(let group): .addToChord(group, receipt)
        case .part(let part, _): .returnPart(part, receipt)
        case .claimed(let claim, _): .keepClaim(claim, receipt)
        case .finishChord(let claim): .finishChord(claim, receipt)
        case .failChord(let claim): .failChord(claim, receipt)
        case .acknowledge, .reject, .note, .pause, .call: nil
        }
    }

    mutating func release(_ item: Held) {
        held[item.id] = nil
        if !item.isDone { known.forget(item) }
    }

    mutating func stored(_ receipt: Receipt, _ failure: StoreFailure?, _ actions: inout [EngineAction]) {
        guard let item = held[receipt.held] else { return }
        switch receipt.purpose {
        case .state: stateStored(item, failure, &actions)
        case .lookUp, .member: break
        case .step, .sending:
            if let failure, failure.isPermanent {
                storeRefused(item, failure, &actions)
            } else {
                confirmed(item, receipt, failure.map { "store its result: \($0)" }, &actions)
            }
        }
    }

    mutating func published(_ receipt: Receipt, _ failure: BrokerFailure?, _ actions: inout [EngineAction]) {
        guard let item = held[receipt.held] else { return }
        confirmed(item, receipt, failure.map { "publish: \($0)" }, &actions)
    }

    mutating func chordKept(_ receipt: Receipt, _ failure: StoreFailure?, _ actions: inout [EngineAction]) {
        guard let item = held[receipt.held] else { return }
        confirmed(item, receipt, failure.map { "keep the books of a chord: \($0)" }, &actions)
    }

    private mutating func confirmed(
        _ item: Held, _ receipt: Receipt, _ failure: String?, _ actions: inout [EngineAction]
    ) {
        switch (receipt.purpose, failure) {
        case (.sending, nil): sendDone(item, &actions)
        case (.sending, let failure?): sendFailed(item, what: failure, &actions)
        case (_, nil): stepDone(item, &actions)
        case (_, let failure?): stepFailed(item, what: failure, &actions)
        }
    }

    /// Goes on with the settlement, unless something is still under way that must come before it.
    mutating func tryStepAgain(_ id: HeldID, _ actions: inout [EngineAction]) {
        guard let item = held[id], case .recording = item.phase else { return }
        guard !item.storesState, item.sending.isEmpty, item.errback == nil else { return }
        advance(item, &actions)
    }

    mutating func stepDone(_ item: Held, _ actions: inout [EngineAction]) { replaceStep(item, by: [], &actions) }

    mutating func replaceStep(_ item: Held, by steps: [Step], _ actions: inout [EngineAction]) {
        guard !item.steps.isEmpty else { return }
        item.steps.replaceSubrange(0..<1, with: steps)
        item.stepAttempts = 0
        advance(item, &actions)
    }

    func stepFailed(_ item: Held, what: String, _ actions: inout [EngineAction]) {
        item.stepAttempts += 1
        let pause = Self.pause(after: item.stepAttempts)
        actions.append(.log(.recordingFailed(id: item.message.id, what: what, retryInSeconds: pause)))
        actions.append(.arm(.step(item.id), afterSeconds: pause))
    }

    /// Seconds.
    static func pause(after attempts: Int) -> Double { min(30, 0.1 * Double(1 << min(attempts, 10))) }

    /// The store will never take this record. Once, a failure that says so is stored in its place; if even that is
    /// refused, the message goes to the dead letters.
    private mutating func storeRefused(_ item: Held, _ failure: StoreFailure, _ actions: inout [EngineAction]) {
        actions.append(
            .log(.recordingFailed(id: item.message.id, what: "store its result: \(failure)", retryInSeconds: 0)))
        item.steps.removeFirst()
        item.stepAttempts += 1
        if item.stepAttempts == 1 {
            item.steps = failureStep(item, CeleryFailure.storeRefused(failure.detail)) + item.steps
        } else if case .acknowledge? = item.steps.first {
            let dead = Republication.deadLetter(
                item.delivery, item.message, reason: "the result store refused its result: \(failure.detail)",
                verdict: "unrecorded", report: nil, starts: item.starts, at: now.wall)
            item.steps = bury(item, dead)
            item.isDone = false
        }
        advance(item, &actions)
    }

    // ---- the steps' making ----

    func storeStep(_ item: Held, _ state: TaskState, _ meta: @autoclosure () -> [UInt8]) -> [Step] {
        guard hasStore, !item.ignoresResult else { return [] }
        return [.store(record(item, state, meta()))]
    }

    func failureStep(_ item: Held, _ failure: TaskFailure) -> [Step] {
        guard hasStore, !item.ignoresResult || options.storeErrorsEvenIfIgnored else { return [] }
        let meta = ResultMeta.failure(
            of: item.message, failure: failure, at: now.wall, children: JSON.array(item.children).bytes,
            extended: extended(item))
        return [.store(record(item, .failure, meta))]
    }

    func record(_ item: Held, _ state: TaskState, _ meta: [UInt8]) -> ResultRecord {
        ResultRecord(
            taskID: item.message.id, state: state, meta: meta, replyTo: item.message.replyTo,
            correlationID: item.message.correlationID, expiresAfterSeconds: options.resultExpiresSeconds)
    }

    func bury(_ item: Held, _ dead: WireMessage) -> [Step] {
        // A queue with a dead-letter exchange of its own gets its messages the broker's way.
        if let queue = queues.first(where: { $0.declaration.name == item.delivery.queue })?.declaration,
            queue.arguments["x-dead-letter-exchange"] != nil
        {
            return [.reject(requeue: false)]
        }
        return [
            .publish(Publication(destination: .deadLetters(of: item.delivery.queue), message: dead)), .acknowledge,
        ]
    }

    /// To a queue; with a delay if it is due so late that nobody should hold it until then.
    func publication(of message: WireMessage, to queue: String, dueInSeconds seconds: Double = 0) -> Publication {
        let declaration =
            queues.first { $0.declaration.name == queue }?.declaration ?? QueueDeclaration(name: queue)
        // Half of the holding time is left to be waited out exactly, by its eta.
        let delay = seconds > options.etaHoldSeconds ? seconds - options.etaHoldSeconds / 2 : 0
        return Publication(destination: .queue(declaration), message: message, delaySeconds: delay)
    }

    func extended(_ item: Held) -> ExtendedFields? {
        options.resultExtended
            ? ExtendedFields(worker: options.nodeName, queue: item.delivery.routingKey) : nil
    }
}
