// Limits by key, on running tasks, and across hosts: when a task asks for a permit, and when it releases it
// (LimitQueues).
import CeleryWire
import Ports
import TaskModel

extension EngineCore {
    private static let renewSeconds = 5.0
    /// What is left of a lease when a task is dispatched: time for it to begin.
    private static let marginSeconds = 2.0
    /// Other hosts release permits without a word to us.
    private static let fullPause = 0.1...0.2
    private static func pause(after failure: StoreFailure) -> Double { failure.code == .unavailable ? 1 : 10 }

    mutating func joinLimitQueue(_ item: InFlight, _ actions: inout [EngineAction]) {
        item.phase = .limited
        let name = limitName(item)
        limits.append(item, to: name)
        serveLimitQueue(name, &actions)
        if item.isLimited { countWaiting(item, &actions) }
    }

    private func limitName(_ item: InFlight) -> String {
        guard let key = item.policy.limitKey, let manifest = catalog.task(item.message.name) else {
            return item.message.name
        }
        return "\(item.message.name)[\(key.value(in: item.message, of: manifest))]"
    }

    private mutating func serveLimitQueue(_ name: String, _ actions: inout [EngineAction]) {
        while life.stopping == nil, let item = limits.head(of: name) {
            if isExpired(item) {
                discard(item, reason: "expired", &actions)
                continue
            }
            if isRevoked(item.message, withStamps: true) {
                discard(item, reason: "revoked", &actions)
                continue
            }
            if item.policy.isLimitedGlobally, !hasSlotForPermit { return limits.awaitSlot(name) }
            let claim = limits.claim(name, for: item, makeID: environment.makeID)
            if item.policy.isLimitedGlobally {
                limits.askShared(claim, for: item, at: now.monotonic)
                actions.append(.acquire(claim, item.id))
            } else {
                take(limits.askLocal(claim, at: now.monotonic), to: claim, item, leaseUntil: nil, &actions)
            }
        }
    }

    /// A permit that waited here for a slot would keep the tasks of other hosts from running.
    private var hasSlotForPermit: Bool {
        inFlight.busySlots + ready.count + limits.asked < max(scaling.slots, scaling.range?.max ?? 0)
    }

    /// After every event: slots may have become free.
    mutating func askForFreeSlots(_ actions: inout [EngineAction]) {
        while limits.awaitsSlot, life.stopping == nil, hasSlotForPermit, let name = limits.nextForSlot() {
            serveLimitQueue(name, &actions)
        }
    }

    private mutating func take(
        _ answer: LimitAnswer, to claim: PermitRequest, _ item: InFlight, leaseUntil: Instant?,
        _ actions: inout [EngineAction]
    ) {
        switch answer {
        case .granted:
            if limits.grant(claim, to: item, leaseUntil: leaseUntil) {
                actions.append(.arm(.renewLimits, afterSeconds: Self.renewSeconds))
            }
            makeReady(item)
        case .due(let seconds): pauseLimitQueue(claim.name, seconds, &actions)
        case .full:
            // A permit of our own is seen to be released.
            let seconds = leaseUntil == nil ? nil : Double.random(in: Self.fullPause, using: &random)
            pauseLimitQueue(claim.name, seconds, &actions)
        }
    }

    private mutating func pauseLimitQueue(_ name: String, _ seconds: Double?, _ actions: inout [EngineAction]) {
        limits.pause(name)
        if let seconds { actions.append(.arm(.limit(name), afterSeconds: seconds)) }
    }

    mutating func limitAnswered(
        _ id: InFlightID, _ claim: PermitRequest, _ answer: Result<LimitAnswer, StoreFailure>,
        _ actions: inout [EngineAction]
    ) {
        let asked = limits.answered(claim)
        if let asked, let item = inFlight[id], item.isLimited, limits.hasClaimed(claim, id) {
            switch answer {
            case .success(let answer):
                take(
                    answer, to: claim, item, leaseUntil: asked.advanced(bySeconds: LimitQueues.leaseSeconds), &actions)
            case .failure(let failure):
                let pause = Self.pause(after: failure)
                actions.append(
                    .log(
                        .recordingFailed(
                            id: item.message.id, what: "ask for its limit: \(failure)", retryInSeconds: pause)))
                pauseLimitQueue(claim.name, pause, &actions)
            }
        } else if case .success(.granted) = answer {
            // The task that asked is gone meanwhile.
            actions.append(.releaseLimit(claim))
        }
        serveLimitQueue(claim.name, &actions)
    }

    mutating func retryLimitQueue(_ name: String, _ actions: inout [EngineAction]) {
        limits.resume(name)
        serveLimitQueue(name, &actions)
    }

    /// What it held or asked for is given up.
    mutating func endLimit(_ item: InFlight, _ actions: inout [EngineAction]) {
        let (shared, waiting) = limits.release(item.id)
        if let shared { actions.append(.releaseLimit(shared)) }
        if let waiting { retryLimitQueue(waiting, &actions) }
    }

    // ---- credit ----

    mutating func countWaiting(_ item: InFlight, _ actions: inout [EngineAction]) {
        if limits.startCounting(item.id, of: item.delivery.queue) { setCredit(item.delivery.queue, &actions) }
    }

    // ---- leases ----

    mutating func renewLimits(_ actions: inout [EngineAction]) {
        let leased = limits.leased
        guard !leased.isEmpty else { return }
        actions.append(.renewLimits(leased, since: now.monotonic))
        actions.append(.arm(.renewLimits, afterSeconds: Self.renewSeconds))
    }

    /// Its lease has ended before it could start: another host may have the permit. Back to the queue of its limit.
    mutating func rejoinsLimitQueue(_ item: InFlight, _ actions: inout [EngineAction]) -> Bool {
        guard let until = limits.leaseEnd(item.id), until <= now.monotonic.advanced(bySeconds: Self.marginSeconds)
        else { return false }
        endLimit(item, &actions)
        joinLimitQueue(item, &actions)
        return true
    }
}
