// Watch: what observers are told, and when. Nothing is made of it unless somebody watches.
import CeleryWire
import Ports
import TaskModel

extension EngineCore {
    /// Told at once.
    func tell(_ occurrence: TaskOccurrence, of item: Held, _ actions: inout [EngineAction]) {
        if isWatched { actions.append(.tell(occurrence, ObservedTask(item))) }
    }

    /// Told once the outcome is recorded and the message settled.
    func tellWhenSettled(_ occurrence: TaskOccurrence, of item: Held) {
        if isWatched { item.untold.append(occurrence) }
    }

    func tellSettled(_ item: Held, _ actions: inout [EngineAction]) {
        guard !item.untold.isEmpty else { return }
        let task = ObservedTask(item)
        for occurrence in item.untold { actions.append(.tell(occurrence, task)) }
        item.untold = []
    }

    /// The next attempt may be over before this message is settled: who watches hears of both in order.
    func tellRetried(_ item: Held, _ actions: inout [EngineAction]) {
        if case .retried? = item.untold.last { tellSettled(item, &actions) }
    }

    /// What a verdict means to watchers, after what the runner reported.
    func tell(_ verdict: Verdict, on report: RunReport, of item: Held, _ actions: inout [EngineAction]) {
        guard isWatched else { return }
        if case .died(let death) = report.outcome {
            tell(.crashed(death, starts: item.starts, of: item.policy.maxStarts), of: item, &actions)
        }
        if case .hardLimit(let seconds) = report.outcome {
            tell(.reachedHardLimit(seconds: seconds, swept: report.swept), of: item, &actions)
        }
        switch verdict {
        // Told where it is known whether what follows can be called.
        case .succeed, .replace: break
        case .fail(let failure, let settlement):
            tellWhenSettled(.failed(failure), of: item)
            switch settlement {
            case .acknowledge: break
            case .again: tellWhenSettled(.rejected(requeue: true), of: item)
            case .deadLetter(let reason, _): tellWhenSettled(.deadLettered(reason: reason), of: item)
            }
        case .retry(let seconds, let cause):
            tellWhenSettled(.retried(afterSeconds: seconds, cause: cause), of: item)
        case .ignore: tellWhenSettled(.ignored, of: item)
        case .reject(let reason, let requeue):
            if !requeue {
                tellWhenSettled(.failed(CeleryFailure.reject(reason: reason, requeue: false)), of: item)
                tellWhenSettled(.deadLettered(reason: reason), of: item)
            }
            tellWhenSettled(.rejected(requeue: requeue), of: item)
        case .revoke: tellWhenSettled(.revoked(signal: item.terminatedBy, hasExpired: false), of: item)
        case .giveBack: tellWhenSettled(.givenBack, of: item)
        case .restart, .again: break
        }
    }
}

extension ObservedTask {
    init(_ item: Held) {
        let message = item.message
        self.init(
            id: message.id, name: message.name, displayName: message.displayName, argsRepr: message.argsRepr,
            kwargsRepr: message.kwargsRepr, rootID: message.rootID, parentID: message.parentID,
            groupID: message.groupID, retries: message.retries, etaText: message.etaText,
            expiresText: message.expiresText, queue: item.delivery.queue, routingKey: item.delivery.routingKey,
            headers: item.delivery.message.headers, receivedAt: item.receivedAt, readyAt: item.readyAt,
            beganAt: item.began ? item.beganAt : nil, usage: item.usage, trace: item.trace)
    }
}
