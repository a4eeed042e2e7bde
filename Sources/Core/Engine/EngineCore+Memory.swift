// What is in flight, in bytes: what finds no room is requeued, and what waits for its time is counted (MemoryBudget).
import CeleryWire
import Ports
import TaskModel

extension EngineCore {
    /// Asked before a body is read, too.
    func mayHold(bodyBytes: Int) -> Bool { intake.hasRoom(bodyBytes: bodyBytes) }

    /// Requeued; until there is room no queue is consumed.
    mutating func requeueForRoom(_ delivery: Delivery, _ actions: inout [EngineAction]) {
        if intake.overflows() {
            actions.append(.log(.outOfRoom(queue: delivery.queue, maxBytes: intake.maxBytes)))
            setCredits(&actions)
        }
        actions.append(.reject(delivery.tag, requeue: true))
    }

    /// True: there was no room.
    mutating func requeuesForRoom(_ delivery: Delivery, _ actions: inout [EngineAction]) -> Bool {
        if mayHold(bodyBytes: delivery.message.body.count) { return false }
        requeueForRoom(delivery, &actions)
        return true
    }

    mutating func lookForRoom(_ actions: inout [EngineAction]) {
        if intake.reopens() { setCredits(&actions) }
    }

    /// It is not in flight any more.
    mutating func drop(_ item: InFlight) {
        if inFlight.remove(item) { intake.releases(item.size) }
    }

    /// Counted on top of the credit of its queue: what only waits must not keep others from coming.
    mutating func beginDelay(_ item: InFlight, _ actions: inout [EngineAction]) {
        guard !item.isDelayed else { return }
        item.isDelayed = true
        intake.beginDelay(item.delivery.queue, size: item.size)
        setCredit(item.delivery.queue, &actions)
    }

    mutating func endDelay(_ item: InFlight, _ actions: inout [EngineAction]) {
        guard forgetDelay(item) else { return }
        setCredit(item.delivery.queue, &actions)
    }

    /// - Returns: false: it was not counted.
    @discardableResult
    mutating func forgetDelay(_ item: InFlight) -> Bool {
        guard item.isDelayed else { return false }
        item.isDelayed = false
        intake.endDelay(item.delivery.queue, size: item.size)
        return true
    }
}
