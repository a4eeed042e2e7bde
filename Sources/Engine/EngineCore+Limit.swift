// Limits by key, on running tasks, and across hosts: whoever waits stands in the line of what it claims.
//
// A place is claimed before the task is ready and given back when its outcome is known. Places shared with other hosts
// are lent: they come back by themselves when a host dies.
import CeleryWire
import Ports
import TaskModel

/// Tasks that wait for the same limit, in the order of their arrival.
struct LimitLine {
    var waiting: [Held] = []
    /// Whose claim is under way, and since when.
    var asking: (claim: LimitClaim, since: Instant)?
    /// Asked in vain; until a timer or a release.
    var isPausing = false
}

extension EngineCore {
    static let leaseSeconds = 20.0
    private static let renewSeconds = 5.0
    /// What is left of a lease when a task is handed over: time for it to begin.
    private static let marginSeconds = 2.0
    /// Places of other hosts are given back without a word to us.
    private static let fullPause = 0.1...0.2
    private static func pause(after failure: StoreFailure) -> Double { failure.isPermanent ? 10 : 1 }

    mutating func joinLine(_ item: Held, _ actions: inout [EngineAction]) {
        item.phase = .limited
        let name = limitName(item)
        lines[name, default: LimitLine()].waiting.append(item)
        serveLine(name, &actions)
        if isWaiting(item) { countInLine(item, &actions) }
    }

    private func limitName(_ item: Held) -> String {
        guard let key = item.policy.limitKey, let manifest = catalog.task(item.message.name) else {
            return item.message.name
        }
        return "\(item.message.name)[\(key.value(in: item.message, of: manifest))]"
    }

    mutating func serveLine(_ name: String, _ actions: inout [EngineAction]) {
        while stopping == nil, let line = lines[name], line.asking == nil, !line.isPausing {
            guard let item = line.waiting.first else {
                lines[name] = nil
                return
            }
            guard isWaiting(item) else {
                lines[name]?.waiting.removeFirst()
                continue
            }
            if let expires = item.message.expires, now.wall > expires {
                discard(item, reason: "expired", &actions)
                continue
            }
            if isRevoked(item.message, withStamps: true) {
                discard(item, reason: "revoked", &actions)
                continue
            }
            // The same holder as before: its turn among other hosts is kept, and a place it was given without our
            // hearing of it is not lost.
            let claim = LimitClaim(
                name: name, holder: item.claim?.holder ?? makeID(), perSecond: item.policy.rate,
                most: item.policy.maxConcurrent)
            if item.policy.isLimitedGlobally {
                item.claim = claim
                lines[name]?.asking = (claim, now.monotonic)
                actions.append(.acquire(claim, item.id))
            } else {
                take(limitBook.acquire(claim, at: now.monotonic), to: claim, item, leaseUntil: nil, &actions)
            }
        }
    }

    private func isWaiting(_ item: Held) -> Bool {
        guard case .limited = item.phase else { return false }
        return held[item.id] != nil
    }

    private mutating func take(
        _ answer: LimitAnswer, to claim: LimitClaim, _ item: Held, leaseUntil: Instant?, _ actions: inout [EngineAction]
    ) {
        switch answer {
        case .granted:
            lines[claim.name]?.waiting.removeFirst()
            leaveLine(item)
            if claim.most != nil {
                item.claim = claim
                item.leaseUntil = leaseUntil
                if leaseUntil != nil { lend(claim, to: item, &actions) }
            } else {
                item.claim = nil
            }
            makeReady(item)
        case .due(let seconds): pauseLine(claim.name, seconds, &actions)
        case .full:
            // Our own places are given back before our eyes.
            let seconds = leaseUntil == nil ? nil : Double.random(in: Self.fullPause, using: &random)
            pauseLine(claim.name, seconds, &actions)
        }
    }

    private mutating func pauseLine(_ name: String, _ seconds: Double?, _ actions: inout [EngineAction]) {
        lines[name]?.isPausing = true
        if let seconds { actions.append(.arm(.limit(name), afterSeconds: seconds)) }
    }

    mutating func limitAnswered(
        _ id: HeldID, _ claim: LimitClaim, _ answer: Result<LimitAnswer, StoreFailure>, _ actions: inout [EngineAction]
    ) {
        let asked = lines[claim.name]?.asking.flatMap { $0.claim == claim ? $0.since : nil }
        if asked != nil { lines[claim.name]?.asking = nil }
        if let asked, let item = held[id], isWaiting(item), item.claim == claim {
            switch answer {
            case .success(let answer):
                take(
                    answer, to: claim, item, leaseUntil: asked.advanced(bySeconds: Self.leaseSeconds), &actions)
            case .failure(let failure):
                let pause = Self.pause(after: failure)
                actions.append(
                    .log(
                        .recordingFailed(
                            id: item.message.id, what: "ask for its limit: \(failure)", retryInSeconds: pause)))
                pauseLine(claim.name, pause, &actions)
            }
        } else if case .success(.granted) = answer {
            // Whoever asked is gone meanwhile.
            actions.append(.releaseLimit(claim))
        }
        serveLine(claim.name, &actions)
    }

    mutating func tryLineAgain(_ name: String, _ actions: inout [EngineAction]) {
        lines[name]?.isPausing = false
        serveLine(name, &actions)
    }

    /// What it held or asked for is given back.
    mutating func endLimit(_ item: Held, _ actions: inout [EngineAction]) {
        leaveLine(item)
        guard let claim = item.claim else { return }
        item.claim = nil
        item.leaseUntil = nil
        lent[item.id] = nil
        guard claim.most != nil else { return }
        if item.policy.isLimitedGlobally {
            actions.append(.releaseLimit(claim))
        } else {
            limitBook.release(claim)
        }
        if lines[claim.name]?.isPausing ?? false { tryLineAgain(claim.name, &actions) }
    }

    // ---- credit ----

    /// Messages that stand in lines beyond a queue's credit at most.
    private static let mostBeyond = 256
    private static let beyondStep = 32

    /// Who waits for a limit must not use up the credit of those behind it that need not wait. At once in steps up,
    /// with the look at the rate down: a change of credit costs a frame.
    private mutating func countInLine(_ item: Held, _ actions: inout [EngineAction]) {
        let queue = item.delivery.queue
        item.isInLine = true
        inLine[queue, default: 0] += 1
        let present = beyondCredit[queue] ?? 0
        guard inLine[queue] ?? 0 > present, present < Self.mostBeyond else { return }
        beyondCredit[queue] = present + Self.beyondStep
        setCredit(queue, &actions)
    }

    private mutating func leaveLine(_ item: Held) {
        guard item.isInLine else { return }
        item.isInLine = false
        inLine[item.delivery.queue, default: 1] -= 1
    }

    mutating func lookAtLines(_ actions: inout [EngineAction]) {
        for (queue, present) in beyondCredit {
            let steps = ((inLine[queue] ?? 0) + Self.beyondStep - 1) / Self.beyondStep
            guard steps * Self.beyondStep < present else { continue }
            beyondCredit[queue] = steps == 0 ? nil : steps * Self.beyondStep
            setCredit(queue, &actions)
        }
    }

    // ---- leases ----

    private mutating func lend(_ claim: LimitClaim, to item: Held, _ actions: inout [EngineAction]) {
        if lent.isEmpty { actions.append(.arm(.renewLimits, afterSeconds: Self.renewSeconds)) }
        lent[item.id] = claim
    }

    mutating func renewLimits(_ actions: inout [EngineAction]) {
        guard !lent.isEmpty else { return }
        actions.append(.renewLimits(lent.values.sorted { $0.holder < $1.holder }, since: now.monotonic))
        actions.append(.arm(.renewLimits, afterSeconds: Self.renewSeconds))
    }

    mutating func limitsRenewed(since: Instant) {
        for (id, claim) in lent where held[id]?.claim == claim {
            // One that was granted while we asked is lent for longer already.
            guard let item = held[id], let until = item.leaseUntil else { continue }
            item.leaseUntil = max(until, since.advanced(bySeconds: Self.leaseSeconds))
        }
    }

    /// Its lease has ended before it could start: somebody else may have its place. Back to the line.
    mutating func rejoinsLine(_ item: Held, _ actions: inout [EngineAction]) -> Bool {
        guard let until = item.leaseUntil, until <= now.monotonic.advanced(bySeconds: Self.marginSeconds) else {
            return false
        }
        endLimit(item, &actions)
        joinLine(item, &actions)
        return true
    }
}
