// The limits of this host alone: which claims hold a permit, and when the next start is due. Pure.
import Ports
import TaskModel

struct LocalLimiter {
    private var holders: [String: Set<String>] = [:]
    private var next: [String: Instant] = [:]
    /// Number of entries from which on those of the past are removed.
    private var many = 10_000

    mutating func acquire(_ claim: PermitRequest, at now: Instant) -> LimitAnswer {
        if let most = claim.max, holders[claim.name, default: []].count >= most { return .full }
        if let rate = claim.perSecond {
            if let due = next[claim.name], due > now {
                let left = due.seconds(since: now)
                // Later than that: made at another rate.
                if left <= 1 / rate + 0.001 { return .due(inSeconds: left) }
            }
            if next.count >= many {
                next = next.filter { $0.value > now }
                many = max(many, 2 * next.count)
            }
            next[claim.name] = now.advanced(bySeconds: 1 / rate)
        }
        if claim.max != nil { holders[claim.name, default: []].insert(claim.holder) }
        return .granted
    }

    mutating func release(_ claim: PermitRequest) {
        holders[claim.name]?.remove(claim.holder)
        if holders[claim.name]?.isEmpty ?? false { holders[claim.name] = nil }
    }
}
