// Whether the link to the broker is up, and how far a stop has come.
import TaskModel

struct Lifecycle {
    /// A cold stop that is not over after this time is ended, in seconds: the broker redelivers what was in flight.
    static let abandonSeconds = 5.0
    /// After a grace period a stop gets no more than this beyond its end, in seconds.
    static let lateSeconds = 0.4

    private(set) var isLinkUp = false
    /// nil: it does not stop.
    private(set) var stopping: StopKind?
    /// When what runs is killed.
    private var deadline: Instant?
    private var hasStopped = false

    mutating func linkUp() { isLinkUp = true }

    /// - Returns: false: it was down already.
    mutating func linkDown() -> Bool {
        defer { isLinkUp = false }
        return isLinkUp
    }

    /// - Returns: false: a stop at least as hard is under way.
    mutating func stop(_ kind: StopKind) -> Bool {
        if let stopping, kind <= stopping { return false }
        stopping = kind
        return true
    }

    /// A harder stop never leaves running tasks more time than the one before it.
    /// - Returns: seconds until they are killed.
    mutating func grace(_ seconds: Double, at now: Instant) -> Double {
        let end = min(now.advanced(bySeconds: seconds), deadline ?? Instant(nanoseconds: .max))
        deadline = end
        return max(0, end.seconds(since: now))
    }

    /// Seconds that a cold stop may take from now on.
    func abandonAfter(at now: Instant) -> Double {
        guard let deadline else { return Self.abandonSeconds }
        return min(Self.abandonSeconds, max(0, deadline.seconds(since: now)) + Self.lateSeconds)
    }

    /// Seconds for closing the links; what is not closed by then is left open, since every message is settled.
    func closeWithin(at now: Instant) -> Double {
        let spare = deadline.map { $0.seconds(since: now) + 2 * Self.lateSeconds } ?? Self.abandonSeconds
        return min(Self.abandonSeconds, max(Self.lateSeconds, spare))
    }

    /// True once.
    mutating func becomesStopped() -> Bool {
        defer { hasStopped = true }
        return !hasStopped
    }
}
