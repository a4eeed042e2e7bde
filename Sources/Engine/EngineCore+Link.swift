// Take: the link to the broker, and how much we let it hand us.
import TaskModel

extension EngineCore {
    mutating func linkUp(_ actions: inout [EngineAction]) {
        isLinkUp = true
        guard stopping == nil else { return }
        lastTick = now.monotonic
        setCredits(&actions)
        actions.append(.arm(.credit, afterSeconds: Credit.interval))
    }

    mutating func linkDown(_ actions: inout [EngineAction]) {
        guard isLinkUp else { return }
        isLinkUp = false
        for item in heldInOrder { loseTag(of: item, &actions) }
    }

    mutating func consumerLost(_ queue: String, _ actions: inout [EngineAction]) {
        for item in heldInOrder where item.delivery.queue == queue { loseTag(of: item, &actions) }
        setCredit(queue, &actions)
    }

    /// What waits is forgotten: the broker delivers it again. What runs goes on without a tag, and takes over the
    /// tag of its redelivery. What is being recorded is recorded.
    private mutating func loseTag(of item: Held, _ actions: inout [EngineAction]) {
        guard !item.wasAcknowledgedEarly else { return }
        item.tag = nil
        switch item.phase {
        case .waiting:
            if !item.isPausing { waiting[item.delivery.queue, default: 1] -= 1 }
            actions.append(.disarm(.due(item.id)))
            actions.append(.disarm(.again(item.id)))
            held[item.id] = nil
            endLimit(item, &actions)
        case .limited:
            // Its place in the line is passed over when it is its turn.
            held[item.id] = nil
            endLimit(item, &actions)
        case .ready:
            ready.remove(item)
            held[item.id] = nil
            endLimit(item, &actions)
        case .asking:
            asking.remove(item.id)
            held[item.id] = nil
            endLimit(item, &actions)
        case .handed, .running, .recording:
            known.losesTag(item)
        }
    }

    mutating func lookAtRate(_ actions: inout [EngineAction]) {
        guard stopping == nil, isLinkUp else { return }
        let elapsed = lastTick.map { now.monotonic.seconds(since: $0) } ?? Credit.interval
        lastTick = now.monotonic
        if credit.tick(elapsedSeconds: elapsed) { setCredits(&actions) }
        lookAtLines(&actions)
        // An idle host does not wake up ten times a second; the next finished task arms the timer again.
        if credit.isIdle && runs.isEmpty {
            lastTick = nil
        } else {
            actions.append(.arm(.credit, afterSeconds: Credit.interval))
        }
    }

    mutating func countForRate(_ actions: inout [EngineAction]) {
        credit.taskFinished()
        if lastTick == nil, stopping == nil, isLinkUp {
            lastTick = now.monotonic
            actions.append(.arm(.credit, afterSeconds: Credit.interval))
        }
    }

    /// Queues whose messages would be taken now: a slot is free that nothing in our hands waits for, and the credit is
    /// not used up.
    var hungryQueues: [String] {
        guard isLinkUp, stopping == nil, ready.count == 0, busySlots < slots else { return [] }
        var counts: [String: Int] = [:]
        for item in held.values { counts[item.delivery.queue, default: 0] += 1 }
        return queues.map(\.declaration.name).filter { (counts[$0] ?? 0) < wantedCredit($0) }
    }

    func setCredits(_ actions: inout [EngineAction]) {
        for queue in queues { setCredit(queue.declaration.name, &actions) }
    }

    func setCredit(_ queue: String, _ actions: inout [EngineAction]) {
        guard stopping == nil, queues.contains(where: { $0.declaration.name == queue }) else { return }
        actions.append(.setCredit(wantedCredit(queue), queue: queue))
    }

    func wantedCredit(_ queue: String) -> Int {
        guard !paused.contains(queue) else { return 0 }
        return credit.wanted(waiting: (waiting[queue] ?? 0) + (beyondCredit[queue] ?? 0))
    }
}
