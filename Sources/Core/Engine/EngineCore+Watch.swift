// Watch: which events observers get, and when. No event is made unless there is an observer.
import CeleryWire
import Ports
import TaskModel

extension EngineCore {
    /// Emitted at once.
    func emit(_ occurrence: TaskEvent, of item: InFlight, _ actions: inout [EngineAction]) {
        if isWatched { actions.append(.emit(occurrence, ObservedTask(item))) }
    }

    /// Emitted once the outcome is recorded and the message settled.
    func emitWhenSettled(_ occurrence: TaskEvent, of item: InFlight) {
        if isWatched { item.pendingEvents.append(occurrence) }
    }

    func emitSettled(_ item: InFlight, _ actions: inout [EngineAction]) {
        guard !item.pendingEvents.isEmpty else { return }
        let task = ObservedTask(item)
        for event in item.pendingEvents { actions.append(.emit(event, task)) }
        item.pendingEvents = []
    }

    /// The next attempt may be over before this message is settled: observers get both in order.
    func emitRetried(_ item: InFlight, _ actions: inout [EngineAction]) {
        if case .retried? = item.pendingEvents.last { emitSettled(item, &actions) }
    }

    /// What a verdict means to watchers, after what the runner reported.
    func emit(_ verdict: Verdict, on report: RunReport, of item: InFlight, _ actions: inout [EngineAction]) {
        guard isWatched else { return }
        if case .died(let death) = report.outcome {
            emit(.crashed(death, starts: item.starts, of: item.policy.maxStarts), of: item, &actions)
        }
        if case .hardLimit(let seconds) = report.outcome {
            emit(.reachedHardLimit(seconds: seconds, swept: report.swept), of: item, &actions)
        }
        switch verdict {
        // Emitted where it is known whether what follows can be called.
        case .succeed, .replace: break
        case .fail(let failure, let settlement):
            emitWhenSettled(.failed(failure), of: item)
            switch settlement {
            case .acknowledge: break
            case .restart: emitWhenSettled(.rejected(requeue: true), of: item)
            case .deadLetter(let reason, _): emitWhenSettled(.deadLettered(reason: reason), of: item)
            }
        case .retry(let seconds, let cause):
            emitWhenSettled(.retried(afterSeconds: seconds, cause: cause), of: item)
        case .ignore: emitWhenSettled(.ignored, of: item)
        case .reject(let reason, let requeue):
            if !requeue {
                emitWhenSettled(.failed(CeleryFailure.reject(reason: reason, requeue: false)), of: item)
                emitWhenSettled(.deadLettered(reason: reason), of: item)
            }
            emitWhenSettled(.rejected(requeue: requeue), of: item)
        case .revoke: emitWhenSettled(.revoked(signal: item.execution?.terminatedBy, hasExpired: false), of: item)
        case .requeue: emitWhenSettled(.requeuedAtStop, of: item)
        case .restart, .redispatch: break
        }
    }
}

extension ObservedTask {
    init(_ item: InFlight) {
        let message = item.message
        self.init(
            id: message.id, name: message.name, displayName: message.displayName, argsRepr: message.argsRepr,
            kwargsRepr: message.kwargsRepr, rootID: message.rootID, parentID: message.parentID,
            groupID: message.groupID, retries: message.retries, etaText: message.etaText,
            expiresText: message.expiresText, queue: item.delivery.queue, routingKey: item.delivery.routingKey,
            headers: item.delivery.message.headers, receivedAt: item.receivedAt, readyAt: item.readyAt,
            beganAt: item.beganAt, usage: item.usage, trace: item.trace)
    }
}
