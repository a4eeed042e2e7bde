// Limits that several hosts keep together: how often tasks start, and how many of them run.

/// One start that asks for permission; its holder's name tells it from all others.
public struct PermitRequest: Sendable, Hashable {
    /// What is limited: a task's name, with the key's value if the limit is by key.
    public var name: String
    /// Unique; the same when a claim is made again.
    public var holder: String
    /// Starts per second, > 0; nil: as many as there are.
    public var perSecond: Double?
    /// Running at a time, ≥ 1; nil: as many as there are.
    public var max: Int?

    public init(name: String, holder: String, perSecond: Double?, max: Int?) {
        self.name = name
        self.holder = holder
        self.perSecond = perSecond
        self.max = max
    }
}

public enum LimitAnswer: Sendable, Equatable {
    case granted
    /// The next start is due in so many seconds.
    case due(inSeconds: Double)
    /// As many run as may.
    case full
}

/// All calls and callbacks on the loop's thread. Nothing is granted while the store is out of reach: what is asked then
/// waits for it.
///
/// A holder that was answered `full` and asks again is served before those that asked later, once it has waited for
/// `LimitTurns.patienceSeconds`: a host that releases permits and asks again at once must not keep all others out.
public protocol SharedLimits: AnyObject {
    var description: String { get }

    /// Idempotent: a permit that the holder has is renewed. A permit (`max`) is leased for so many seconds.
    func acquire(
        _ claim: PermitRequest, leaseSeconds: Double, done: @escaping (Result<LimitAnswer, StoreFailure>) -> Void)

    /// Renews all these permits, also lapsed ones, since the tasks that hold them run.
    func renew(_ claims: [PermitRequest], leaseSeconds: Double, done: @escaping (StoreFailure?) -> Void)

    /// Its place, and its turn if it waits for one.
    func release(_ claim: PermitRequest)

    /// Releasing twice changes nothing.
    func close(done: @escaping () -> Void)
}

/// How hosts take turns.
public enum LimitTurns {
    /// Seconds after which who waits comes before those who asked later. Until then a host that works off its own tasks
    /// goes on without the pause that a change of hosts costs.
    public static let patienceSeconds = 1.0
    /// Who has not asked again for so many seconds waits no more; well above the pause between two questions.
    public static let forgottenSeconds = 3.0
}
