// The way of one message through the engine: its table of contents. Read this page first; what a step does in detail
// stands in the file named beside it.
//
//     take → recognise → admit → wait → run → judge → follow → record → settle
//
// Every event enters at `EngineCore.handle`; between two events a message rests in a phase: InFlight+Phase.swift.
import CeleryWire
import Ports
import TaskModel

extension EngineCore {
    /// 1. Take: a delivery, decoded here or beside the loop (EngineCore+Decode).
    mutating func take(
        _ delivery: Delivery, _ decoded: Result<TaskMessage, RefusedMessage>, _ actions: inout [EngineAction]
    ) {
        guard let message = readable(delivery, decoded, &actions),  // EngineCore+Admit: else requeued or dead-lettered
            !isRecognised(delivery, message, &actions),
            let item = hold(delivery, message, &actions)  // EngineCore+Admit: else nothing here can run it
        else { return }
        if mayBeDone(item) || mayBeRevoked(item) { return lookUp(item, &actions) }  // back in `lookedUp`
        admitCounted(item, &actions)  // EngineCore+Starts
    }

    /// 2. Recognise: what runs here or is done, what has no room, a second copy of a restart (EngineCore+Redelivery).
    private mutating func isRecognised(
        _ delivery: Delivery, _ message: TaskMessage, _ actions: inout [EngineAction]
    ) -> Bool {
        // What runs here already takes no further room.
        if delivery.redelivered, deduplicate(delivery, message, &actions) { return true }
        // Before it may be requeued: it comes again as redelivered, and is no earlier task of its id.
        if !delivery.redelivered { known.begins(message) }
        if requeuesForRoom(delivery, &actions) { return true }
        if message.priorStarts > 0, settleDuplicate(delivery, message, &actions) { return true }
        return requeuesForPause(delivery, &actions)
    }

    /// 3. Admit: what is asked of every message before it may run (EngineCore+Admit).
    mutating func admit(_ item: InFlight, _ actions: inout [EngineAction]) {
        if let failure = item.message.argumentsFailure { return failUnread(item, failure, &actions) }
        if isExpired(item) { return discard(item, reason: "expired", &actions) }
        if isRevoked(item.message, withStamps: false) { return discard(item, reason: "revoked", &actions) }
        if isHostKiller(item, &actions) { return }  // EngineCore+Starts
        if item.delivery.isNearLimit { return resend(item, &actions) }
        // 4. Wait: until it is due, for its rate (RateQueues), for its limit (LimitQueues), then for a slot
        // (ReadyQueues).
        if let eta = item.message.eta, eta > now.wall { return wait(item, until: eta, &actions) }
        admitAtRate(item, &actions)  // EngineCore+Control; ends in `makeReady`
    }

    /// 5. Run: after every event, as many of those that are ready as there are slots (EngineCore+Run).
    mutating func startReady(_ actions: inout [EngineAction]) {
        guard ready.count > 0, life.stopping == nil else { return }
        repeat {
            while let item = nextReady() {
                if isExpired(item) {
                    discard(item, reason: "expired", &actions)
                } else if isRevoked(item.message, withStamps: true) {
                    discard(item, reason: "revoked", &actions)
                } else if rejoinsLimitQueue(item, &actions) || checksResultAgain(item, &actions) {
                    continue
                } else if mayDispatch(item, &actions), maySuspectStart(item, &actions), !recordsStart(item, &actions) {
                    dispatch(item, &actions)  // the runner answers with `began` and `finished`
                }
            }
        } while scaleUp(&actions)
    }

    /// 6. Judge: a run is over; its outcome becomes a verdict (Verdict, pure), the verdict is carried out
    /// (EngineCore+Judge). 7. Follow: callbacks, the rest of a chain, a chord's part (EngineCore+Follow, Sequel).
    mutating func finished(_ run: RunID, _ report: RunReport, _ actions: inout [EngineAction]) {
        guard let item = inFlight.endRun(run) else { return errbackFinished(run, report, &actions) }
        slotFreed()
        disarmTimeLimits(of: item, run, &actions)
        countForRate(&actions)
        guard let report = mapped(item, report, &actions) else { return }
        item.usage = report.usage
        judgeSuspect(item, report.outcome)
        judge(Verdict(on: report, of: item, using: &random), on: report, of: item, &actions)
    }

    /// 8. Record: the steps of its settlement, each confirmed before the next (EngineCore+Record).
    /// - Parameter done: this attempt is over (`Settling.isDone`).
    mutating func record(_ item: InFlight, _ steps: [Step], done: Bool = true, _ actions: inout [EngineAction]) {
        inFlight.endCheck(item.id)
        let failures = item.outbox.takeFailures()
        item.phase = .recording(Settling(failures.isEmpty ? steps : failures + steps, isDone: done))
        // A state under way must not overtake the final one.
        item.states.end()
        endLimit(item, &actions)
        // What is settled before this event is over waits for nothing.
        let isOver = item.settling?.isAcknowledgement == true && !item.states.isStoring && item.outbox.isEmpty
        if !isOver {
            if backlog.begins(item, at: now.monotonic) { backlogChanged(item.delivery.queue, &actions) }
            watchBacklog(&actions)
        }
        tryStepAgain(item.id, &actions)
    }

    /// 9. Settle: goes on with the steps until one has to be confirmed; after the last one the message is settled.
    mutating func settle(_ item: InFlight, _ settling: Settling, _ actions: inout [EngineAction]) {
        if hasLostClaim(item) { return dropLate(item, &actions) }  // EngineCore+Claims
        var isRequeued = false
        while let step = settling.steps.first {
            switch take(step, of: item, &actions) {
            case .awaited: return
            case .done: break
            case .requeued: isRequeued = true
            }
            settling.replaceFirst()
        }
        settleStarts(item, isRequeued: isRequeued, &actions)
        if settling.isDone { known.settles(item) }
        endDelay(item, &actions)
        emitSettled(item, &actions)
        release(item, isDone: settling.isDone)
        if backlog.ends(item.id) { backlogChanged(item.delivery.queue, &actions) }
    }
}
