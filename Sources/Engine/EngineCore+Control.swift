// Control: what operators ask for while tasks run: revocations, limits, queues.
import CeleryWire
import Ports
import TaskModel

extension EngineCore {
    // ---- revocations ----

    mutating func revoke(_ ids: [String], terminate signal: Int32?, _ actions: inout [EngineAction]) {
        for id in ids { revocations.add(id, at: now.monotonic) }
        guard let signal else { return }
        let wanted = Set(ids)
        for (run, item) in runs where wanted.contains(item.message.id) { terminate(run, item, signal, &actions) }
    }

    mutating func revoke(stamps: [RevokedStamp], terminate signal: Int32?, _ actions: inout [EngineAction]) {
        for stamp in stamps { revocations.add(stamp) }
        guard let signal else { return }
        for (run, item) in runs where !Revocations.matches(item.message, among: stamps).isEmpty {
            terminate(run, item, signal, &actions)
        }
    }

    /// By its run: whatever else that process has done or will do, only this start is meant.
    private func terminate(_ run: RunID, _ item: Held, _ signal: Int32, _ actions: inout [EngineAction]) {
        item.terminatedBy = signal
        actions.append(.kill(run, .terminate(signal: signal)))
    }

    /// Looked at when a message comes (by id) and before it starts (by stamp as well).
    func isRevoked(_ message: TaskMessage, withStamps: Bool) -> Bool {
        guard !revocations.isEmpty else { return false }
        return revocations.contains(message.id, at: now.monotonic)
            || (withStamps && !revocations.matches(message).isEmpty)
    }

    // ---- rates ----

    /// Through its task's bucket, if it has one, to where it waits for a slot.
    mutating func admitAtRate(_ item: Held, _ actions: inout [EngineAction]) {
        if item.policy.standsInLine { return joinLine(item, &actions) }
        let name = item.message.name
        guard let rate = item.policy.rate else { return makeReady(item) }
        item.phase = .limited
        rateLimits[name, default: RateLimit(perSecond: rate)].waiting.append(item)
        // Whoever waits already has armed the timer.
        if rateLimits[name]?.waiting.count == 1 { admitWaiting(name, &actions) }
    }

    mutating func admitWaiting(_ name: String, _ actions: inout [EngineAction]) {
        while let item = rateLimits[name]?.waiting.first {
            guard case .limited = item.phase, held[item.id] != nil else {
                rateLimits[name]?.waiting.removeFirst()
                continue
            }
            let seconds = rateLimits[name]?.take(at: now.monotonic) ?? 0
            guard seconds == 0 else { return actions.append(.arm(.rate(task: name), afterSeconds: seconds)) }
            rateLimits[name]?.waiting.removeFirst()
            makeReady(item)
        }
    }

    /// Buckets are made anew; who waits keeps its place.
    mutating func setRate(_ perSecond: Double?, task name: String, _ actions: inout [EngineAction]) {
        rates[name] = .some(perSecond)
        policies[name] = nil
        let waiting = rateLimits.removeValue(forKey: name)?.waiting ?? []
        actions.append(.disarm(.rate(task: name)))
        for item in waiting where held[item.id] != nil {
            item.policy.rate = perSecond
            admitAtRate(item, &actions)
        }
        for line in lines.keys.sorted() {
            let concerned = lines[line]?.waiting.filter { $0.message.name == name } ?? []
            for item in concerned { item.policy.rate = perSecond }
            if !concerned.isEmpty { tryLineAgain(line, &actions) }
        }
    }

    // ---- limits and queues ----

    mutating func setTimeLimits(soft: Double?, hard: Double?, task name: String) {
        timeLimits[name] = (soft, hard)
        policies[name] = nil
    }

    mutating func addQueue(_ queue: QueueDeclaration, _ actions: inout [EngineAction]) {
        guard !queues.contains(where: { $0.declaration.name == queue.name }) else {
            return resumeQueue(queue.name, &actions)
        }
        queues.append(QueuePreference(declaration: queue))
        ready.addLane(queue.name)
        actions.append(.consume(queues.map(\.declaration)))
        setCredit(queue.name, &actions)
    }

    mutating func cancelQueue(_ name: String, _ actions: inout [EngineAction]) {
        guard queues.contains(where: { $0.declaration.name == name }) else { return }
        queues.removeAll { $0.declaration.name == name }
        paused.remove(name)
        actions.append(.setCredit(0, queue: name))
    }
}
