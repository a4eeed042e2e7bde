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

    /// Does work of a size that may keep the loop, by its name: a turn that took too long is reported with it.
    /// - Parameter what: asked only if the work took long.
    func measured<Answer>(_ what: @autoclosure () -> String, _ work: () -> Answer) -> Answer

    /// Runs `work` on the loop's thread, in order, in this or a following turn. Thread-safe.
    func post(_ work: @escaping @Sendable () -> Void)

    /// Runs `work` on a thread beside the loop, one after the other in the order of the calls.
    func offload(_ work: @escaping @Sendable () -> Void)
}

extension EventLoop {
    public func measured<Answer>(_ what: @autoclosure () -> String, _ work: () -> Answer) -> Answer { work() }

    /// A loop without such a thread does it at once.
    public func offload(_ work: @escaping @Sendable () -> Void) { work() }

    /// Computes what would keep the loop for too long, or writes what may have to wait for a disk.
    /// - Parameter done: called on the loop's thread, in a later turn, in the order of the calls; it need not be
    ///   Sendable for that reason.
    public func beside<Answer: Sendable>(
        _ work: @escaping @Sendable () -> Answer, done: @escaping (Answer) -> Void
    ) {
        let way = WayBack(loop: self, done: done)
        offload {
            let answer = work()
            way.post(answer)
        }
    }
}

extension EventLoop {
    /// In a following turn: what is long goes on a part at a time, so that others come in between.
    public func nextTurn(_ work: @escaping () -> Void) {
        WayBack<Void>(loop: self, done: work).post(())
    }
}

/// Carries what belongs to the loop's thread through another one, which uses nothing of it but `post`.
private struct WayBack<Answer: Sendable>: @unchecked Sendable {
    let loop: any EventLoop
    let done: (Answer) -> Void

    func post(_ answer: Answer) {
        loop.post { done(answer) }
    }
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
