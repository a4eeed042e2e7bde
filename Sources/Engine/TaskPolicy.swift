// What holds for one task: its manifest, the operator's overrides and defaults, folded together.
import Ports
import TaskModel

/// Every question answered; nothing optional but the limits.
struct TaskPolicy: Sendable, Equatable {
    var softLimit: Double?
    var hardLimit: Double?
    var maxRetries: RetryBound
    var retryDelay: Double
    var retryBackoff: Double?
    var retryBackoffMax: Double
    var retryJitter: Bool
    var autoretry: Bool
    var acksLate: Bool
    var acksOnFailure: Bool
    var acksOnTimeout: Bool
    var trackStarted: Bool
    var ignoreResult: Bool
    var maxStarts: Int
    var keep: Int
    /// MiB.
    var memoryLimit: Int?
    /// Starts per second; nil: as many as there are slots for.
    var rate: Double?
    /// Running at a time; nil: as many as there are slots for.
    var maxConcurrent: Int?
    /// Both limits are kept together with other hosts.
    var isLimitedGlobally: Bool
    /// Both limits hold for each value of it.
    var limitKey: LimitKey?
    /// A plain rate of this host's own has a bucket instead.
    var standsInLine: Bool { maxConcurrent != nil || (rate != nil && (isLimitedGlobally || limitKey != nil)) }

    init(manifest: TaskOptions, override: TaskOptions?, defaults: WorkerDefaults) {
        func pick<Value>(_ field: (TaskOptions) -> Value?) -> Value? { override.flatMap(field) ?? field(manifest) }
        softLimit = (pick(\.softLimit) ?? defaults.softLimit).flatMap { $0 > 0 ? $0 : nil }
        hardLimit = (pick(\.hardLimit) ?? defaults.hardLimit).flatMap { $0 > 0 ? $0 : nil }
        maxRetries = pick(\.maxRetries) ?? defaults.maxRetries
        retryDelay = pick(\.retryDelay) ?? defaults.retryDelay
        retryBackoff = pick(\.retryBackoff).flatMap { $0 > 0 ? $0 : nil }
        retryBackoffMax = pick(\.retryBackoffMax) ?? defaults.retryBackoffMax
        retryJitter = pick(\.retryJitter) ?? true
        autoretry = pick(\.autoretry) ?? (retryBackoff != nil)
        acksLate = pick(\.acksLate) ?? defaults.acksLate
        acksOnFailure = pick(\.acksOnFailure) ?? defaults.acksOnFailure
        acksOnTimeout = pick(\.acksOnTimeout) ?? defaults.acksOnTimeout
        trackStarted = pick(\.trackStarted) ?? defaults.trackStarted
        ignoreResult = pick(\.ignoreResult) ?? defaults.ignoreResult
        maxStarts = Self.maxStarts([override, manifest].compactMap(\.self), defaults)
        memoryLimit = (pick(\.memoryLimit) ?? defaults.memoryLimit).flatMap { $0 > 0 ? $0 : nil }
        rate = (pick(\.rateLimit) ?? defaults.rateLimit).flatMap(Self.rate)
        maxConcurrent = pick(\.maxConcurrent).flatMap { $0 > 0 ? $0 : nil }
        isLimitedGlobally = pick(\.limitScope) == .global
        limitKey = pick(\.limitKey).flatMap { LimitKey($0) }
        keep = defaults.alwaysFresh ? 0 : max(0, pick(\.keep) ?? defaults.keep)
    }

    /// Celery's switch and our number say the same thing; whoever comes first decides: `reject_on_worker_lost = false`
    /// is a single start, true as many as the next one who names a number allows.
    private static func maxStarts(_ sources: [TaskOptions], _ defaults: WorkerDefaults) -> Int {
        var mayRestart: Bool?
        for source in sources {
            mayRestart = mayRestart ?? source.rejectOnWorkerLost
            if mayRestart == false { return 1 }
            if let most = source.maxStarts { return max(1, most) }
        }
        return mayRestart ?? defaults.rejectOnWorkerLost ? max(1, defaults.maxStarts) : 1
    }

    /// A limit nobody can read limits nothing; the engine says so when the bundle is loaded.
    private static func rate(_ text: String) -> Double? {
        do throws(ControlRefusal) {
            return try RateLimit.parse(text)
        } catch {
            return nil
        }
    }

    /// Seconds until the next attempt, when the task named none (celery-wire.md §3.8).
    /// - Parameter retries: attempts made before this one.
    func delay(retries: Int, using random: inout some RandomNumberGenerator) -> Double {
        guard let base = retryBackoff else { return retryDelay }
        let factor = max(1, base.rounded(.down))
        let delay = min(retryBackoffMax, factor * Double(1 << min(retries, 40)))
        guard retryJitter, delay >= 1 else { return delay }
        return Double(Int.random(in: 0...Int(min(delay, 1e9)), using: &random))
    }

    /// Whether one more retry is allowed after `retries` retries.
    func allowsRetry(after retries: Int, bound: RetryBound?) -> Bool {
        switch bound ?? maxRetries {
        case .unlimited: true
        case .atMost(let most): retries + 1 <= most
        }
    }
}
