// Take: the link to the broker, and how much it may deliver.
import TaskModel

extension EngineCore {
    mutating func linkUp(_ actions: inout [EngineAction]) {
        life.linkUp()
        retryBacklog(&actions)
        guard life.stopping == nil else { return }
        intake.restartTicking(at: now.monotonic)
        setCredits(&actions)
        actions.append(.arm(.credit, afterSeconds: Credit.interval))
    }

    mutating func linkDown(_ actions: inout [EngineAction]) {
        guard life.linkDown() else { return }
        intake.loseDecoding(nil)
        for item in inFlight.inOrder { loseTag(of: item, &actions) }
    }

    mutating func consumerLost(_ queue: String, _ actions: inout [EngineAction]) {
        intake.loseDecoding(queue)
        for item in inFlight.inOrder where item.delivery.queue == queue { loseTag(of: item, &actions) }
        setCredit(queue, &actions)
    }

    /// What does not run yet is forgotten: the broker delivers it again. What runs goes on without a tag, and takes
    /// over the tag of its redelivery. What is being recorded is recorded.
    private mutating func loseTag(of item: InFlight, _ actions: inout [EngineAction]) {
        guard !item.wasAcknowledgedEarly else { return }
        item.tag = nil
        forgetDelay(item)
        switch item.phase {
        case .waiting:
            actions.append(.disarm(.due(item.id)))
            actions.append(.disarm(.redispatch(item.id)))
            drop(item)
            endLimit(item, &actions)
        case .limited:
            // The queue of its limit passes over it.
            drop(item)
            endLimit(item, &actions)
        case .ready:
            ready.remove(item)
            drop(item)
            endLimit(item, &actions)
        case .checking:
            inFlight.endCheck(item.id)
            drop(item)
            endLimit(item, &actions)
        case .dispatched, .running, .recording, .over:
            return known.losesTag(item)
        }
        startNextSuspect(of: item)
    }

    mutating func lookAtRate(_ actions: inout [EngineAction]) {
        guard life.stopping == nil, life.isLinkUp else { return }
        let isBehindChanged = backlog.look(at: now.monotonic)
        if intake.tick(at: now.monotonic) || isBehindChanged { setCredits(&actions) }
        logBacklog(&actions)
        for queue in limits.shrinkExtraCredit() { setCredit(queue, &actions) }
        // An idle host does not wake up ten times a second; the next finished task arms the timer again.
        if intake.isIdle && inFlight.runCount == 0 && backlog.isEmpty {
            intake.endTicking()
        } else {
            actions.append(.arm(.credit, afterSeconds: Credit.interval))
        }
    }

    mutating func countForRate(_ actions: inout [EngineAction]) {
        intake.taskFinished()
        watchBacklog(&actions)
    }

    /// The rate and the backlog are looked at ten times a second while something runs, or waits to be recorded.
    mutating func watchBacklog(_ actions: inout [EngineAction]) {
        guard life.stopping == nil, life.isLinkUp, intake.beginTicking(at: now.monotonic) else { return }
        actions.append(.arm(.credit, afterSeconds: Credit.firstInterval))
    }

    /// Queues whose messages would be taken now: a slot is free that nothing in flight waits for, and the credit is not
    /// used up.
    var hungryQueues: [String] {
        guard life.isLinkUp, life.stopping == nil, ready.count == 0, inFlight.busySlots < scaling.slots else {
            return []
        }
        var counts: [String: Int] = [:]
        for item in inFlight.values { counts[item.delivery.queue, default: 0] += 1 }
        return intake.queues.map(\.declaration.name).filter { (counts[$0] ?? 0) < wantedCredit($0) }
    }

    func setCredits(_ actions: inout [EngineAction]) {
        for queue in intake.queues { setCredit(queue.declaration.name, &actions) }
    }

    func setCredit(_ queue: String, _ actions: inout [EngineAction]) {
        guard life.stopping == nil, intake.consumes(queue) else { return }
        actions.append(.setCredit(wantedCredit(queue), queue: queue))
    }

    func wantedCredit(_ queue: String) -> Int {
        guard !intake.isClosed(queue) else { return 0 }
        return intake.credit(queue) + limits.extraCredit(queue) + backlog.allowance(queue, usual: intake.usualCredit)
    }

    mutating func backlogChanged(_ queue: String, _ actions: inout [EngineAction]) {
        setCredit(queue, &actions)
        logBacklog(&actions)
    }

    private mutating func logBacklog(_ actions: inout [EngineAction]) {
        switch backlog.change() {
        case .full: actions.append(.log(.backlogFull(backlog.waiting, failure: backlog.reason)))
        case .drained: actions.append(.log(.backlogDrained(backlog.waiting)))
        case nil: break
        }
    }
}
