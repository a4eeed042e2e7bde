// Record and settle: the steps of a settlement, one after the other, each confirmed before the next.
//
// Nothing is acknowledged before what must outlive it is confirmed, and nothing is given up: a step that fails is
// tried again until it succeeds, the link takes the message back, or the host is told to leave.
import CeleryWire
import Ports
import TaskModel

extension EngineCore {
    /// - Parameters:
    ///   - done: this attempt is over. Not so if the same attempt goes on elsewhere: given back, postponed, buried
    ///     (a dead letter may be sent again).
    mutating func record(_ item: Held, _ steps: [Step], done: Bool = true, _ actions: inout [EngineAction]) {
        item.isDone = done
        item.phase = .recording
        item.steps = steps
        item.stepAttempts = 0
        // A state under way must not overtake the final one.
        item.nextState = nil
        if !item.storesState { advance(item, &actions) }
    }

    private mutating func advance(_ item: Held, _ actions: inout [EngineAction]) {
        while let step = item.steps.first {
            switch step {
            case .store(let record):
                actions.append(.store(record, Receipt(held: item.id, purpose: .step)))
                return
            case .publish(let publication):
                actions.append(.publish(publication, Receipt(held: item.id, purpose: .step)))
                return
            case .acknowledge:
                if let tag = item.tag { actions.append(.acknowledge(tag)) }
            case .reject(let requeue):
                if let tag = item.tag { actions.append(.reject(tag, requeue: requeue)) }
            }
            item.steps.removeFirst()
        }
        if item.isDone { known.settles(item) }
        release(item)
    }

    mutating func release(_ item: Held) {
        held[item.id] = nil
        if !item.isDone { known.forget(item) }
    }

    mutating func stored(_ receipt: Receipt, _ failure: StoreFailure?, _ actions: inout [EngineAction]) {
        guard let item = held[receipt.held] else { return }
        switch receipt.purpose {
        case .state: stateStored(item, failure, &actions)
        case .lookUp: break
        case .step:
            guard let failure else { return stepDone(item, &actions) }
            if failure.isPermanent {
                storeRefused(item, failure, &actions)
            } else {
                stepFailed(item, what: "store its result: \(failure)", &actions)
            }
        }
    }

    mutating func published(_ receipt: Receipt, _ failure: BrokerFailure?, _ actions: inout [EngineAction]) {
        guard let item = held[receipt.held] else { return }
        if let failure {
            stepFailed(item, what: "publish: \(failure)", &actions)
        } else {
            stepDone(item, &actions)
        }
    }

    mutating func tryStepAgain(_ id: HeldID, _ actions: inout [EngineAction]) {
        guard let item = held[id], case .recording = item.phase else { return }
        advance(item, &actions)
    }

    private mutating func stepDone(_ item: Held, _ actions: inout [EngineAction]) {
        guard !item.steps.isEmpty else { return }
        item.steps.removeFirst()
        item.stepAttempts = 0
        advance(item, &actions)
    }

    private func stepFailed(_ item: Held, what: String, _ actions: inout [EngineAction]) {
        item.stepAttempts += 1
        let pause = min(30, 0.1 * Double(1 << min(item.stepAttempts, 10)))
        actions.append(.log(.recordingFailed(id: item.message.id, what: what, retryInSeconds: pause)))
        actions.append(.arm(.step(item.id), afterSeconds: pause))
    }

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
        let meta = ResultMeta.failure(of: item.message, failure: failure, at: now.wall, extended: extended(item))
        return [.store(record(item, .failure, meta))]
    }

    func record(_ item: Held, _ state: TaskState, _ meta: [UInt8]) -> ResultRecord {
        ResultRecord(
            taskID: item.message.id, state: state, meta: meta, replyTo: item.message.replyTo,
            correlationID: item.message.correlationID, expiresAfterSeconds: options.resultExpiresSeconds)
    }

    func bury(_ item: Held, _ dead: WireMessage) -> [Step] {
        // A queue with a dead-letter exchange of its own gets its messages the broker's way.
        if let queue = options.queues.first(where: { $0.declaration.name == item.delivery.queue })?.declaration,
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
            options.queues.first { $0.declaration.name == queue }?.declaration ?? QueueDeclaration(name: queue)
        // Half of the holding time is left to be waited out exactly, by its eta.
        let delay = seconds > options.etaHoldSeconds ? seconds - options.etaHoldSeconds / 2 : 0
        return Publication(destination: .queue(declaration), message: message, delaySeconds: delay)
    }

    func extended(_ item: Held) -> ExtendedFields? {
        options.resultExtended
            ? ExtendedFields(worker: options.nodeName, queue: item.delivery.routingKey) : nil
    }
}
