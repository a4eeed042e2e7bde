// A model of limits shared by several simulated hosts; it checks that what runs never exceeds them.
import Ports
import TaskModel

@testable import Engine

final class SimulatedLimits {
    /// Until when each permit is leased.
    var permits: [String: [String: UInt64]] = [:]
    /// Of one limit, at the same time.
    private(set) var mostPermits = 0
    private var next: [String: UInt64] = [:]

    func acquire(_ claim: PermitRequest, leaseSeconds: Double, at now: UInt64) -> LimitAnswer {
        if let most = claim.max {
            permits[claim.name] = permits[claim.name, default: [:]].filter { $0.value > now }
            if permits[claim.name]?[claim.holder] != nil {
                lend(claim, leaseSeconds, at: now)
                return .granted
            }
            guard permits[claim.name, default: [:]].count < most else { return .full }
        }
        if let rate = claim.perSecond {
            if let due = next[claim.name], due > now { return .due(inSeconds: Double(due - now) / 1e9) }
            next[claim.name] = now + UInt64(1e9 / rate)
        }
        if claim.max != nil { lend(claim, leaseSeconds, at: now) }
        return .granted
    }

    func lend(_ claim: PermitRequest, _ seconds: Double, at now: UInt64) {
        permits[claim.name, default: [:]][claim.holder] = now + UInt64(seconds * 1e9)
        mostPermits = max(mostPermits, permits[claim.name]?.count ?? 0)
    }
}

extension SimulatedWorld {
    func performLimit(_ action: EngineAction) {
        let asker = host
        switch action {
        case .acquire(let claim, let id):
            after(milliseconds: 0...20) { [unowned self] in
                guard let shared, !chance(faults.storeFailure) else {
                    return post(.limitAnswered(id, claim, .failure(StoreFailure("simulated"))), to: asker)
                }
                let answer = shared.acquire(claim, leaseSeconds: LimitQueues.leaseSeconds, at: now)
                after(milliseconds: 0...20) { [unowned self] in
                    post(.limitAnswered(id, claim, .success(answer)), to: asker)
                }
            }
        case .renewLimits(let claims, let since):
            // Before whatever is released after it, as over one connection.
            guard shared != nil, !chance(faults.storeFailure) else { return }
            for claim in claims { shared?.lend(claim, LimitQueues.leaseSeconds, at: now) }
            after(milliseconds: 0...20) { [unowned self] in post(.limitsRenewed(since: since), to: asker) }
        case .releaseLimit(let claim): shared?.permits[claim.name]?[claim.holder] = nil
        default: break
        }
    }
}
