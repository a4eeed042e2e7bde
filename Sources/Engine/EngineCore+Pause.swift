// Pausing queues: nothing is taken from a paused queue, what has not begun goes back to it, what runs finishes.
import Ports
import TaskModel

extension EngineCore {
    mutating func pauseQueue(_ name: String, _ actions: inout [EngineAction]) {
        guard stopping == nil, queues.contains(where: { $0.declaration.name == name }),
            paused.insert(name).inserted
        else { return }
        // First of all: what goes back must not come to us again.
        actions.append(.setCredit(0, queue: name))
        var count = 0
        for item in heldInOrder where item.delivery.queue == name {
            switch item.phase {
            case .waiting, .limited, .ready, .asking:
                if case .ready = item.phase { ready.remove(item) }
                actions.append(.disarm(.due(item.id)))
                actions.append(.disarm(.again(item.id)))
                giveBack(item, &actions)
                count += 1
            case .handed, .running, .recording:
                break
            }
        }
        waiting[name] = nil
        actions.append(.log(.queuePaused(name, givenBack: count)))
    }

    /// As they were when we ended, before the first link.
    /// - Returns: those that are consumed, which are paused now; the others are forgotten.
    mutating func pauseAgain(_ names: [String]) -> Set<String> {
        paused = Set(names).intersection(queues.map(\.declaration.name))
        return paused
    }

    mutating func resumeQueue(_ name: String, _ actions: inout [EngineAction]) {
        guard paused.remove(name) != nil else { return }
        actions.append(.log(.queueResumed(name)))
        setCredit(name, &actions)
    }
}
