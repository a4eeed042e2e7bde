// Requeuing what has not begun: of queues that are paused, of those of which too much is in flight, and of all at a
// stop. What runs finishes.
import Ports
import TaskModel

extension EngineCore {
    mutating func pauseQueue(_ name: String, _ actions: inout [EngineAction]) {
        guard life.stopping == nil, intake.pause(name) else { return }
        // First of all: what is requeued must not be delivered here again.
        actions.append(.setCredit(0, queue: name))
        let count = requeueNotBegun(of: name, &actions)
        actions.append(.log(.queuePaused(name, requeued: count)))
    }

    /// Oldest first.
    /// - Parameter queue: nil: of all queues.
    /// - Returns: how many they were.
    mutating func requeueNotBegun(of queue: String? = nil, _ actions: inout [EngineAction]) -> Int {
        var count = 0
        for item in inFlight.inOrder where queue == nil || item.delivery.queue == queue {
            switch item.phase {
            case .waiting, .limited, .ready, .checking:
                if case .ready = item.phase { ready.remove(item) }
                actions.append(.disarm(.due(item.id)))
                actions.append(.disarm(.redispatch(item.id)))
                requeue(item, &actions)
                count += 1
            case .dispatched(let execution):
                // Requeued when it comes back.
                actions.append(.recall(execution.run))
            case .running, .recording, .over:
                break
            }
        }
        return count
    }

    /// As they were when we ended, before the first link.
    /// - Returns: those that are consumed, which are paused now; the others are forgotten.
    mutating func pauseAgain(_ names: [String]) -> Set<String> {
        intake.restorePaused(names)
        return intake.paused
    }

    /// True: its queue is paused, and it was under way to us already.
    func requeuesForPause(_ delivery: Delivery, _ actions: inout [EngineAction]) -> Bool {
        guard intake.paused.contains(delivery.queue) else { return false }
        actions.append(.reject(delivery.tag, requeue: true))
        return true
    }

    mutating func resumeQueue(_ name: String, _ actions: inout [EngineAction]) {
        guard intake.resume(name) else { return }
        actions.append(.log(.queueResumed(name)))
        setCredit(name, &actions)
    }

    /// A burst let us take far more than we can begin soon: the newest of what waits for a slot are requeued for other
    /// workers. Each message once, so that workers do not hand it to each other, and a quorum queue does not count it
    /// twice.
    mutating func share(_ queue: String, keeping credit: Int, _ actions: inout [EngineAction]) {
        guard life.stopping == nil, !intake.paused.contains(queue) else { return }
        let ours = inFlight.inOrder.filter { $0.delivery.queue == queue && $0.tag != nil }
        var left = ours.count - credit
        for item in ours.reversed() where left > 0 {
            guard case .ready = item.phase, !item.delivery.redelivered, !limits.hasPermit(item.id) else { continue }
            ready.remove(item)
            requeue(item, &actions)
            left -= 1
        }
    }
}
