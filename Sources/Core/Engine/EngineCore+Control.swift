// Control: what operators ask for while tasks run: revocations, limits, queues.
import CeleryWire
import Ports
import TaskModel

extension EngineCore {
    // ---- revocations ----

    mutating func revoke(_ ids: [String], terminate signal: Int32?, _ actions: inout [EngineAction]) {
        for id in ids { revocations.add(id, at: now.monotonic) }
        let wanted = Set(ids)
        for (run, item) in inFlight.runs where Self.names(wanted, item.message) {
            revoke(run, item, terminate: signal, &actions)
        }
    }

    /// Whether an order about these ids is about this task: by its own, or by that of its workflow.
    static func names(_ ids: Set<String>, _ message: TaskMessage) -> Bool {
        ids.contains(message.id) || ids.contains(RevokedWorkflow.id(root: message.rootID ?? message.id))
    }

    mutating func revoke(stamps: [RevokedStamp], terminate signal: Int32?, _ actions: inout [EngineAction]) {
        for stamp in stamps { revocations.add(stamp) }
        let wanted = RevokedStamps(stamps)
        for (run, item) in inFlight.runs where !wanted.matches(item.message).isEmpty {
            revoke(run, item, terminate: signal, &actions)
        }
    }

    /// By its run: whatever else that process has done or will do, only this start is meant. One that has not begun
    /// is taken back, and found to be revoked when it comes again.
    private func revoke(
        _ run: RunID, _ item: InFlight, terminate signal: Int32?, _ actions: inout [EngineAction]
    ) {
        // In Celery's children this one is the soft limit's: what runs ends in its own way.
        let isSoft = signal == SignalName.number("USR1")
        if isSoft { actions.append(.softStop(run)) }
        if let signal, !isSoft {
            item.execution?.terminatedBy = signal
            actions.append(.kill(run, .terminate(signal: signal)))
        } else if case .dispatched = item.phase {
            actions.append(.recall(run))
        }
    }

    /// Looked at when a message comes (by id) and before it starts (by stamp as well).
    func isRevoked(_ message: TaskMessage, withStamps: Bool) -> Bool {
        guard !revocations.isEmpty else { return false }
        return revocations.contains(message, at: now.monotonic)
            || (withStamps && !revocations.matches(message).isEmpty)
    }

    // ---- rates ----

    /// Through its task's bucket, if it has one, to where it waits for a slot.
    mutating func admitAtRate(_ item: InFlight, _ actions: inout [EngineAction]) {
        if item.policy.waitsForLimit { return joinLimitQueue(item, &actions) }
        guard let rate = item.policy.rate else { return makeReady(item) }
        item.phase = .limited
        if rates.append(item, perSecond: rate) { admitWaiting(item.message.name, &actions) }
    }

    mutating func admitWaiting(_ name: String, _ actions: inout [EngineAction]) {
        while true {
            switch rates.next(task: name, at: now.monotonic) {
            case .start(let item): makeReady(item)
            case .due(let seconds): return actions.append(.arm(.rate(task: name), afterSeconds: seconds))
            case .nothingWaits: return
            }
        }
    }

    /// Buckets are new ones; tasks that wait keep their order.
    mutating func setRate(_ perSecond: Double?, task name: String, _ actions: inout [EngineAction]) {
        policies.setRate(perSecond, task: name)
        actions.append(.disarm(.rate(task: name)))
        for item in rates.remove(task: name) {
            item.policy.rate = perSecond
            admitAtRate(item, &actions)
        }
        for limit in limits.setRate(perSecond, task: name) { retryLimitQueue(limit, &actions) }
    }

    // ---- queues ----

    mutating func addQueue(_ queue: QueueDeclaration, _ actions: inout [EngineAction]) {
        guard !intake.consumes(queue.name) else { return resumeQueue(queue.name, &actions) }
        intake.add(queue)
        ready.addLane(queue.name)
        actions.append(.consume(intake.queues.map(\.declaration)))
        setCredit(queue.name, &actions)
    }

    mutating func cancelQueue(_ name: String, _ actions: inout [EngineAction]) {
        guard intake.remove(name) else { return }
        actions.append(.setCredit(0, queue: name))
    }
}
