// What holds for each task, made when it is first needed, with what operators have set since by remote control.
import TaskModel

struct Policies {
    private var made: [String: TaskPolicy] = [:]
    /// Set while we run, by task; these win over manifest and configuration.
    private var rates: [String: Double?] = [:]
    private var timeLimits: [String: (soft: Double?, hard: Double?)] = [:]

    mutating func policy(for name: String, manifest: TaskManifest, _ options: EngineOptions) -> TaskPolicy {
        if let known = made[name] { return known }
        var policy = TaskPolicy(
            manifest: manifest.options, override: options.overrides[name], defaults: options.defaults,
            alwaysFresh: options.alwaysFresh)
        if let limits = timeLimits[name] { (policy.softLimit, policy.hardLimit) = limits }
        if let rate = rates[name] { policy.rate = rate }
        made[name] = policy
        return policy
    }

    /// As made before; nil: not since the catalog changed, so that it is not known whether there is such a task.
    func known(_ name: String) -> TaskPolicy? { made[name] }

    /// Bundles came or went: manifests may be others.
    mutating func catalogChanged() { made.removeAll() }

    /// - Parameter perSecond: nil: no limit.
    mutating func setRate(_ perSecond: Double?, task name: String) {
        rates[name] = .some(perSecond)
        made[name] = nil
    }

    /// nil: none was set; `.some(nil)`: it was set to no limit.
    func rateSet(for name: String) -> Double?? { rates[name] }

    mutating func setTimeLimits(soft: Double?, hard: Double?, task name: String) {
        timeLimits[name] = (soft, hard)
        made[name] = nil
    }
}
