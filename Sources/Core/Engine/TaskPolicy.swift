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
    /// nil: all.
    var autoretryFor: FailureNames?
    var dontAutoretryFor: FailureNames?
    var acksLate: Bool
    var acksOnFailure: Bool
    var acksOnTimeout: Bool
    var trackStarted: Bool
    var ignoreResult: Bool
    /// nil: as the host's options say.
    var storeErrorsEvenIfIgnored: Bool?
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
    var waitsForLimit: Bool { maxConcurrent != nil || (rate != nil && (isLimitedGlobally || limitKey != nil)) }

    /// - Parameters:
    ///   - defaults: the operator's, for tasks that do not say otherwise.
    ///   - alwaysFresh: no task shares a child, whatever it asks for, unless the operator says so of this very one.
    init(manifest: TaskOptions, override: TaskOptions?, defaults: TaskOptions, alwaysFresh: Bool = false) {
        let table = TaskOptionTable.standard
        func given<Value>(_ option: TaskOption<Value>) -> Value? {
            override?[keyPath: option.field] ?? manifest[keyPath: option.field] ?? defaults[keyPath: option.field]
        }
        func value<Value>(_ option: TaskOption<Value>) -> Value { given(option) ?? option.standard }
        func positive<Value: Numeric & Comparable>(_ option: TaskOption<Value>) -> Value? {
            value(option) > 0 ? value(option) : nil
        }
        softLimit = positive(table.softLimit)
        hardLimit = positive(table.hardLimit)
        maxRetries = value(table.maxRetries)
        retryDelay = value(table.retryDelay)
        retryBackoff = positive(table.retryBackoff)
        retryBackoffMax = value(table.retryBackoffMax)
        retryJitter = value(table.retryJitter)
        autoretryFor = given(table.autoretryFor)
        dontAutoretryFor = given(table.dontAutoretryFor)
        // An option that names failures means that they are retried.
        autoretry = given(table.autoretry) ?? (retryBackoff != nil || autoretryFor?.names.isEmpty == false)
        acksLate = value(table.acksLate)
        acksOnFailure = value(table.acksOnFailure)
        acksOnTimeout = value(table.acksOnTimeout)
        trackStarted = value(table.trackStarted)
        ignoreResult = value(table.ignoreResult)
        storeErrorsEvenIfIgnored = given(table.storeErrorsEvenIfIgnored)
        maxStarts = Self.maxStarts([override, manifest, defaults].compactMap(\.self))
        memoryLimit = positive(table.memoryLimit)
        rate = given(table.rateLimit).flatMap(Self.rate)
        maxConcurrent = positive(table.maxConcurrent)
        isLimitedGlobally = value(table.limitScope) == .global
        limitKey = given(table.limitKey).flatMap { LimitKey($0) }
        keep = max(0, override?.keep ?? (alwaysFresh ? 0 : value(table.keep)))
    }

    /// Celery's switch and our number say the same thing; the first that is set decides: `reject_on_worker_lost =
    /// false` is a single start, true as many as the next source that names a number allows.
    private static func maxStarts(_ sources: [TaskOptions]) -> Int {
        let table = TaskOptionTable.standard
        var mayRestart: Bool?
        for source in sources {
            mayRestart = mayRestart ?? source.rejectOnWorkerLost
            if mayRestart == false { return 1 }
            if let most = source.maxStarts { return max(1, most) }
        }
        return mayRestart ?? table.rejectOnWorkerLost.standard ? table.maxStarts.standard : 1
    }

    /// A limit that cannot be read limits nothing; the engine says so when the bundle is loaded.
    private static func rate(_ text: String) -> Double? {
        do throws(ControlRefusal) {
            return try RateLimit.parse(text)
        } catch {
            return nil
        }
    }

    /// Seconds until the next attempt, when the task named none (celery-protocol.md §3.8).
    /// - Parameter retries: attempts made before this one.
    func delay(retries: Int, using random: inout some RandomNumberGenerator) -> Double {
        guard let base = retryBackoff else { return retryDelay }
        let delay = Backoff(initial: base, max: retryBackoffMax).step(retries)
        return retryJitter ? Double.random(in: 0...delay, using: &random) : delay
    }

    /// Whether the task is started again though it did not ask for it. What Python raises for wrong arguments would
    /// only fail again, unless an option names it.
    func retriesByItself(_ failure: TaskFailure) -> Bool {
        guard autoretry, dontAutoretryFor?.contains(failure) != true else { return false }
        let isAboutArguments = failure.type == "TypeError" && failure.module == "builtins"
        guard let named = autoretryFor, !named.names.isEmpty else { return !isAboutArguments }
        return named.contains(failure) && !(isAboutArguments && !named.names.contains("TypeError"))
    }

    /// Whether one more retry is allowed after `retries` retries.
    func allowsRetry(after retries: Int, bound: RetryBound?) -> Bool {
        switch bound ?? maxRetries {
        case .unlimited: true
        case .atMost(let most): retries + 1 <= most
        }
    }
}
