// What doctor makes of a Redis or Valkey as broker or result store. Pure.
import Ports

struct RedisCheck {
    let examination: RedisExamination
    let isBroker: Bool
    /// "redis://127.0.0.1:6379/0".
    let place: String

    private var subject: String { isBroker ? "broker" : "results" }
    private var name: String { "\(examination.server) \(examination.version)" }

    func findings() -> [Finding] {
        var findings = [version()] + settings() + rights()
        if isBroker {
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
        if examination.server == "Redis", numbers.count >= 2, (numbers[0], numbers[1]) < (6, 2) {
            return .fail(subject, "\(name) at \(place) is too old", fix: "use Redis 6.2 or newer")
        }
        return .ok(subject, "\(name) at \(place)")
    }

    /// Eviction and persistence.
    private func settings() -> [Finding] {
        guard let settings = examination.settings else {
            return [
                .note(
                    subject,
                    "maxmemory-policy and appendonly are unknown: \(examination.settingsRefusal ?? "it does not say")",
                    fix: "let the user ask (ACL SETUSER … +info), or see that they are noeviction and yes")
            ]
        }
        var findings = [eviction(settings)]
        if isBroker, !settings.isAppendOnly {
            findings.append(
                .note(
                    subject,
                    "appendonly is off: a crash of \(examination.server) loses what came since its last snapshot, messages included",
                    fix: "set appendonly yes in its configuration file"))
        }
        return findings
    }

    private func eviction(_ settings: RedisExamination.Settings) -> Finding {
        let policy = settings.evictionPolicy
        let fix =
            "set maxmemory-policy noeviction in its configuration file (now: CONFIG SET maxmemory-policy noeviction)"
        if policy == "noeviction" { return .ok(subject, "maxmemory-policy is noeviction") }
        if policy.isEmpty { return .note(subject, "maxmemory-policy is unknown: this server does not say") }
        let what = isBroker ? "messages" : "results"
        let when = "when its memory is full \(examination.server) throws \(what) away"
        if settings.maxMemory > 0, isBroker {
            return .fail(subject, "maxmemory-policy is \(policy): \(when)", fix: fix)
        }
        let bound = settings.maxMemory > 0 ? "" : " (maxmemory is not set, so this is not so yet)"
        return .warn(subject, "maxmemory-policy is \(policy): \(when)\(bound)", fix: fix)
    }

    /// What the user may not do; what only remote control and events need hurts less.
    private func rights() -> [Finding] {
        if let refusal = examination.scriptRefusal {
            let harm = isBroker ? "a worker takes and settles by scripts: it would not start" : "chords need scripts"
            return [.fail(subject, "\(harm): \(refusal.detail)", fix: "ACL SETUSER … +eval")]
        }
        let control = examination.missingRights.filter { $0.hasSuffix(".pidbox") || $0.hasSuffix("celeryev/0") }
        let others = examination.missingRights.filter { !control.contains($0) }
        var findings: [Finding] = []
        if !others.isEmpty {
            findings.append(
                .fail(
                    subject, "the user may not do what a worker does: \(Finding.list(others))",
                    fix: "give it the commands, keys (~*) and channels (&*) that docs/redis.md lists, by ACL SETUSER"))
        }
        if !control.isEmpty {
            findings.append(
                .warn(
                    subject, "remote control and events do not work: the user may not \(Finding.list(control))",
                    fix: "give it the channels of docs/redis.md (ACL SETUSER … &*)"))
        }
        return findings
    }
}
