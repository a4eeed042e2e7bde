// Redeliveries: what still runs here is adopted, what is done is settled, the rest runs again.
import Canvas
import CeleryWire
import TaskModel
import TaskhostJSON

extension EngineCore {
    /// A redelivery of something that still runs here, or that was settled here lately.
    mutating func settleKnown(
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

    /// A second copy of one restart: a killed broker gives back the message that was restarted, and its next host may
    /// restart it as well. The broker still has the one in our hands, so to drop the other loses nothing. Restarts are
    /// rare enough for a scan.
    func settleTwin(_ delivery: Delivery, _ message: TaskMessage, _ actions: inout [EngineAction]) -> Bool {
        let key = KnownWork.Key(message)
        guard held.values.contains(where: { $0.tag != nil && KnownWork.Key($0.message) == key }) else { return false }
        note(&actions, .adopted(name: message.displayName, id: message.id))
        actions.append(.acknowledge(delivery.tag))
        return true
    }

    /// Whether it may have succeeded already (celery-wire.md §2.7).
    func mayBeDone(_ item: Held) -> Bool {
        item.delivery.redelivered && options.deduplicatesSuccessful && keepsResults && item.policy.acksLate
            && !item.ignoresResult
    }

    /// An answer older than this is worth another question, in seconds.
    private static let answerHolds = 0.05

    /// Another host may have finished it: the store is asked first. It waits meanwhile, like one that is not due.
    mutating func lookUp(_ item: Held, _ actions: inout [EngineAction]) {
        item.phase = .waiting
        item.isPausing = true
        actions.append(.lookUp(item.message.id, Receipt(held: item.id, purpose: .lookUp)))
    }

    /// It has waited for its slot (or its time) since the store was asked, and a copy of it may have succeeded
    /// meanwhile: one that is left of a settlement whose acknowledgement the broker forgot.
    mutating func asksAgain(_ item: Held, _ actions: inout [EngineAction]) -> Bool {
        guard let then = item.notDoneAt, now.monotonic.seconds(since: then) > Self.answerHolds else { return false }
        item.phase = .asking
        asking.insert(item.id)
        actions.append(.lookUp(item.message.id, Receipt(held: item.id, purpose: .lookUp)))
        return true
    }

    /// - Parameters:
    ///   - document: nil: nothing is stored, or the store cannot tell.
    mutating func lookedUp(_ receipt: Receipt, _ document: [UInt8]?, _ actions: inout [EngineAction]) {
        guard let item = held[receipt.held] else { return }
        let wasReady = asking.remove(item.id) != nil
        if !wasReady {
            guard case .waiting = item.phase else { return }
            if receipt.purpose == .member { return lookedAtMember(item, document, &actions) }
            item.isPausing = false
        }
        // Only SUCCESS: a FAILURE may be that of a dead letter which has been sent again since.
        guard let meta = document.flatMap(ReceivedMeta.init(trusting:)), meta.state == .success else {
            item.notDoneAt = now.monotonic
            guard wasReady else { return admit(item, &actions) }
            item.phase = .ready
            return ready.putBack(item)
        }
        note(&actions, .alreadyDone(name: item.message.displayName, id: item.message.id))
        record(item, owedSteps(item, meta) + [.acknowledge], &actions)
    }

    /// Its success alone is not the whole of it. What follows a task is sent before its SUCCESS is stored, so it is
    /// owed only where the result names no children; a chord's part comes after, and counts once however often.
    private func owedSteps(_ item: Held, _ meta: ReceivedMeta) -> [Step] {
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
