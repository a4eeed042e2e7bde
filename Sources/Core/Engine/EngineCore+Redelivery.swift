// Redeliveries: what still runs here is adopted, what is done is settled, the rest runs again.
import Canvas
import CeleryWire
import TaskModel
import TaskhostJSON

extension EngineCore {
    /// A redelivery of something that still runs here, or that was settled here lately.
    mutating func deduplicate(
        _ delivery: Delivery, _ message: TaskMessage, _ actions: inout [EngineAction]
    ) -> Bool {
        if known.isSettled(message) {
            note(&actions, .alreadyDone(name: message.displayName, id: message.id))
            actions.append(.acknowledge(delivery.tag))
            return true
        }
        guard let running = known.adopt(message) else { return false }
        note(&actions, .adopted(name: message.displayName, id: message.id))
        running.tag = delivery.tag
        return true
    }

    /// A second copy of one restart: a killed broker redelivers the message that was restarted, and its next host may
    /// restart it as well. The broker still has the one in flight here, so to drop the other loses nothing. Restarts
    /// are rare enough for a scan.
    func settleDuplicate(_ delivery: Delivery, _ message: TaskMessage, _ actions: inout [EngineAction]) -> Bool {
        let key = KnownWork.Key(message)
        guard inFlight.values.contains(where: { $0.tag != nil && KnownWork.Key($0.message) == key }) else {
            return false
        }
        note(&actions, .adopted(name: message.displayName, id: message.id))
        actions.append(.acknowledge(delivery.tag))
        return true
    }

    /// Whether it may have succeeded already (celery-protocol.md §2.7). A restart was delivered before, too, and there
    /// may be two of it: one whose confirmation was lost with the link is sent once more.
    func mayBeDone(_ item: InFlight) -> Bool {
        (item.delivery.redelivered || item.message.priorStarts > 0) && options.deduplicatesSuccessful && keepsResults
            && item.policy.acksLate && !item.ignoresResult
    }

    /// Its delay may have been longer than revocations are remembered; what is stored of it is not forgotten.
    func mayBeRevoked(_ item: InFlight) -> Bool { keepsResults && Republication.wasDelayed(item.delivery.message) }

    /// An answer older than this is worth another question, in seconds.
    private static let answerHolds = 0.05

    /// Another host may have finished it: the store is asked first. It waits meanwhile, like one that is not due.
    mutating func lookUp(_ item: InFlight, _ actions: inout [EngineAction]) {
        item.phase = .waiting(for: .storedResult)
        actions.append(.lookUp(item.message.id, Receipt(task: item.id, purpose: .lookUp)))
    }

    /// It has waited for its slot (or its time) since the store was asked, and a copy of it may have succeeded
    /// meanwhile: one that is left of a settlement whose acknowledgement the broker forgot.
    mutating func checksResultAgain(_ item: InFlight, _ actions: inout [EngineAction]) -> Bool {
        guard let then = item.notDoneAt, now.monotonic.seconds(since: then) > Self.answerHolds,
            case .ready(let order) = item.phase
        else { return false }
        item.phase = .checking(.result, order: order)
        inFlight.beginCheck(item.id)
        actions.append(.lookUp(item.message.id, Receipt(task: item.id, purpose: .lookUp)))
        return true
    }

    /// - Parameters:
    ///   - document: nil: nothing is stored, or the store did not answer.
    mutating func lookedUp(_ receipt: Receipt, _ document: [UInt8]?, _ actions: inout [EngineAction]) {
        guard let item = inFlight[receipt.task] else { return }
        let order: UInt64?
        switch item.phase {
        case .waiting(for: .chordMembers(let unlock)): return lookedAtMember(item, unlock, document, &actions)
        case .waiting(for: .storedResult): order = nil
        case .checking(.result, let arrival):
            inFlight.endCheck(item.id)
            order = arrival
        default: return
        }
        let stored = document.flatMap(ReceivedMeta.init(trusting:))
        if stored?.state == .revoked, order == nil, mayBeRevoked(item) {
            return discard(item, reason: "revoked", &actions)
        }
        // Only SUCCESS: a FAILURE may be that of a dead letter which has been sent again since. And only of a message
        // that was delivered before: an id may be used again.
        let mayBeDone = mayBeDone(item)
        guard let meta = stored, meta.state == .success, mayBeDone else {
            if mayBeDone { item.notDoneAt = now.monotonic }
            guard let order else { return admitCounted(item, &actions) }
            item.phase = .ready(order: order)
            return ready.putBack(item, order: order)
        }
        note(&actions, .alreadyDone(name: item.message.displayName, id: item.message.id))
        record(item, missingSteps(item, meta) + [.acknowledge], &actions)
    }

    /// Its success alone is not the whole of it. What follows a task is sent before its SUCCESS is stored, so it is
    /// owed only where the result names no children; a chord's part comes after, and counts once however often.
    private func missingSteps(_ item: InFlight, _ meta: ReceivedMeta) -> [Step] {
        guard item.message.hasContinuations else { return [] }
        var steps: [Step] = []
        if meta.children.isEmpty {
            var canvas = canvas(for: item)
            do throws(CanvasError) {
                try canvas.succeed(item.continuations, with: meta.result)
                steps = try self.steps(of: canvas)
            } catch {
                // The result stands; there is nothing left that could fail for this.
                steps = [.note(.notFollowed(id: item.message.id, reason: error.description))]
            }
        }
        return steps + partStep(item, .success, meta.result.bytes)
    }
}
