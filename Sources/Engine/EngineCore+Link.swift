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

    /// What waits is forgotten: the broker delivers it again. What runs goes on without a tag, and takes over the
    /// tag of its redelivery. What is being recorded is recorded.
    mutating func linkDown(_ actions: inout [EngineAction]) {
        guard isLinkUp else { return }
        isLinkUp = false
        _ = ready.removeAll()
        for item in held.values {
            item.tag = nil
            switch item.phase {
            case .waiting where item.wasAcknowledgedEarly:
                break
            case .waiting, .ready:
                actions.append(.disarm(.due(item.id)))
                held[item.id] = nil
            case .handed, .running, .recording:
                if !item.wasAcknowledgedEarly { orphans.add(item) }
            }
        }
        waiting.removeAll()
    }

    mutating func lookAtRate(_ actions: inout [EngineAction]) {
        guard stopping == nil, isLinkUp else { return }
        let elapsed = lastTick.map { now.monotonic.seconds(since: $0) } ?? Credit.interval
        lastTick = now.monotonic
        if credit.tick(elapsedSeconds: elapsed) { setCredits(&actions) }
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

    func setCredits(_ actions: inout [EngineAction]) {
        for queue in options.queues { setCredit(queue.declaration.name, &actions) }
    }

    func setCredit(_ queue: String, _ actions: inout [EngineAction]) {
        guard stopping == nil else { return }
        actions.append(.setCredit(credit.wanted(waiting: waiting[queue] ?? 0), queue: queue))
    }
}
