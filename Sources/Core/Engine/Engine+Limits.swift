// What the core asks of limits that are shared with other hosts.
import Logging
import Ports
public import TaskModel

extension EngineOptions {
    /// Whether all workers together limit it, so that they need a store for that.
    public func limitsGlobally(_ task: TaskManifest) -> Bool {
        let policy = TaskPolicy(manifest: task.options, override: overrides[task.name], defaults: defaults)
        return policy.isLimitedGlobally && policy.waitsForLimit
    }
}

extension Engine {
    private static let noSharedLimits = StoreFailure(
        "there is no store for limits that all workers share", .refused,
        fix: "Set shared_limits.url, or the task's limit_scope to worker")

    /// Said when its bundle is loaded, not when its first message waits in vain.
    func checkScope(_ task: TaskManifest) {
        guard limits == nil, options.limitsGlobally(task) else { return }
        log.error("Task \(task.name) will not be run, its messages wait: \(Self.noSharedLimits)")
    }

    func performLimit(_ action: EngineAction) {
        switch action {
        case .acquire(let claim, let id):
            guard let limits else {
                return handle(.limitAnswered(id, claim, .failure(Self.noSharedLimits)))
            }
            limits.acquire(claim, leaseSeconds: LimitQueues.leaseSeconds) { [unowned self] in
                handle(.limitAnswered(id, claim, $0))
            }
        case .renewLimits(let claims, let since):
            limits?.renew(claims, leaseSeconds: LimitQueues.leaseSeconds) { [unowned self] failure in
                if let failure { return log.warning("Leases of \(claims.count) limited tasks not renewed: \(failure)") }
                handle(.limitsRenewed(since: since))
            }
        case .releaseLimit(let claim): limits?.release(claim)
        default: break
        }
    }
}
