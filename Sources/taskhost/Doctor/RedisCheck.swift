// A Redis as broker or result store. Pure.
import Redis

struct RedisCheck {
    let examination: RedisExamination
    let isBroker: Bool
    /// "redis://127.0.0.1:6379/0".
    let place: String

    private var subject: String { isBroker ? "broker" : "results" }

    func findings() -> [Finding] {
        var findings = [version(), eviction()]
        if isBroker {
            if !examination.isAppendOnly {
                findings.append(
                    .note(
                        subject,
                        "appendonly is off: a crash of Redis loses what came since its last snapshot, messages included",
                        fix: "set appendonly yes in redis.conf"))
            }
            findings.append(
                .ok("limits", "what a worker holds is renewed: visibility_timeout need not exceed any hard limit"))
        }
        if examination.isReplica {
            findings.append(
                .fail(subject, "\(place) is a read-only replica", fix: "point the address at the primary"))
        }
        findings.append(
            ClockCheck.finding(
                ahead: examination.clockAhead, uncertainty: examination.clockUncertainty, place: place,
                harm: "eta, expires and leases are off by as much"))
        return findings
    }

    private func version() -> Finding {
        let numbers = examination.version.split(separator: ".").compactMap { Int($0) }
        if numbers.count >= 2, (numbers[0], numbers[1]) < (6, 2) {
            return .fail(
                subject, "Redis \(examination.version) at \(place) is too old", fix: "use Redis 6.2 or newer")
        }
        return .ok(subject, "Redis \(examination.version) at \(place)")
    }

    private func eviction() -> Finding {
        let policy = examination.evictionPolicy
        let fix = "set maxmemory-policy noeviction in redis.conf (now: CONFIG SET maxmemory-policy noeviction)"
        if policy == "noeviction" { return .ok(subject, "maxmemory-policy is noeviction") }
        if policy.isEmpty { return .note(subject, "maxmemory-policy is unknown: this server does not tell it") }
        let what = isBroker ? "messages" : "results"
        let when = "when its memory is full Redis throws \(what) away"
        if examination.maxMemory > 0, isBroker {
            return .fail(subject, "maxmemory-policy is \(policy): \(when)", fix: fix)
        }
        let bound = examination.maxMemory > 0 ? "" : " (maxmemory is not set, so this is not so yet)"
        return .warn(subject, "maxmemory-policy is \(policy): \(when)\(bound)", fix: fix)
    }
}
