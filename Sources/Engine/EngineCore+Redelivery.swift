// Redeliveries: what still runs here is adopted, what is done is settled, the rest runs again.
import CeleryWire
import TaskModel

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

    /// Another host may have finished it: the store is asked first. It waits meanwhile, like one that is not due.
    mutating func lookUp(_ item: Held, _ actions: inout [EngineAction]) {
        item.phase = .waiting
        item.isPausing = true
        actions.append(.lookUp(item.message.id, Receipt(held: item.id, purpose: .lookUp)))
    }

    /// - Parameters:
    ///   - state: nil: nothing is stored, or the store cannot tell.
    mutating func lookedUp(_ receipt: Receipt, _ state: TaskState?, _ actions: inout [EngineAction]) {
        guard let item = held[receipt.held], case .waiting = item.phase else { return }
        item.isPausing = false
        // Only SUCCESS: a FAILURE may be that of a dead letter which has been sent again since.
        guard state == .success else { return admit(item, &actions) }
        note(&actions, .alreadyDone(name: item.message.displayName, id: item.message.id))
        record(item, [.acknowledge], &actions)
    }
}
