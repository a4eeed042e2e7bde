public import TaskModel

/// One thread's turn of events: descriptors, timers and work posted by other threads.
///
/// Everything an adapter does for the engine happens on this thread: calls in, callbacks out. An adapter that needs
/// a thread of its own talks to it by `post`. Only `post` may be called from other threads.
public protocol EventLoop: AnyObject {
    /// The clocks, read once at the beginning of the current turn.
    var clocks: Clocks { get }

    /// Calls `ready` in each turn in which the descriptor is ready (level-triggered), until cancelled.
    func watch(_ descriptor: Int32, for interest: Readiness, _ ready: @escaping (Readiness) -> Void) -> any LoopWatch

    /// Calls `fire` once, not before `seconds` (≥ 0) have passed.
    func schedule(afterSeconds seconds: Double, _ fire: @escaping () -> Void) -> any LoopTimer

    /// Calls `flush` at the end of each turn, before the loop waits: the place to write out what a turn gathered.
    func atTurnEnd(_ flush: @escaping () -> Void)

    /// Runs `work` on the loop's thread, in order, in this or a following turn. Thread-safe.
    func post(_ work: @escaping @Sendable () -> Void)
}

public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let read = Readiness(rawValue: 1)
    public static let write = Readiness(rawValue: 2)
    /// The other side is gone, or the descriptor is broken. Reported whatever the interest.
    public static let hangup = Readiness(rawValue: 4)
}

/// Cancelling twice is harmless. No callback comes after `cancel`.
public protocol LoopWatch: AnyObject {
    func change(to interest: Readiness)
    func cancel()
}

public protocol LoopTimer: AnyObject {
    func cancel()
}
