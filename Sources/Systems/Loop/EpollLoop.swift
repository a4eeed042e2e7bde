// The loop: epoll, timers, a mailbox, and hooks at the end of each turn.

internal import CLinux
public import Ports
public import TaskModel

/// One thread's turn of events over epoll.
///
/// A turn is: wait, read the clocks, ready descriptors, due timers, posted work, hooks. The thread that calls `run`
/// is the loop's thread; everything but `post` and `mailbox` belongs to it.
///
/// Cancel a watch before closing its descriptor, and watch a descriptor once at a time.
public final class EpollLoop: EventLoop {
    public private(set) var clocks: Clocks
    /// The thread-safe door to this loop; may be handed to other threads where the loop itself may not.
    public let mailbox: Mailbox

    private let epoll: Int32
    private let watches: WatchTable
    private let timers = TimerHeap()
    private let sideThread = SideThread()
    private let events: UnsafeMutablePointer<clinux_epoll_event>
    private var batch: [@Sendable () -> Void] = []
    private var hooks: [() -> Void] = []
    private var stopping = false
    /// Looks how long each turn takes.
    public let turnWatch = TurnWatch()
    private var inTurn = false

    private static let capacity: Int32 = 128
    /// Stands for the mailbox's eventfd; no slot has this number.
    private static let mailboxToken = UInt64.max

    public init() throws(LoopFailure) {
        epoll = try checked("epoll_create1", clinux_epoll_create())
        do {
            mailbox = try Mailbox()
        } catch {
            _ = clinux_close(epoll)
            throw error
        }
        watches = WatchTable(epoll: epoll)
        events = .allocate(capacity: Int(Self.capacity))
        clocks = Self.readClocks()
        _ = try checked(
            "epoll_ctl", clinux_epoll_add(epoll, mailbox.descriptor, CLINUX_EPOLL_IN, Self.mailboxToken))
    }

    deinit {
        _ = clinux_close(epoll)
        events.deallocate()
    }

    // ---- EventLoop ----

    public func watch(
        _ descriptor: Int32, for interest: Readiness, _ ready: @escaping (Readiness) -> Void
    ) -> any LoopWatch {
        watches.add(descriptor, interest, ready)
    }

    public func schedule(afterSeconds seconds: Double, _ fire: @escaping () -> Void) -> any LoopTimer {
        // Counted from this moment, not from the turn's beginning: never early.
        let now = Instant(nanoseconds: clinux_monotonic_ns())
        return timers.add(at: now.advanced(bySeconds: max(0, seconds)).nanoseconds, fire)
    }

    public func atTurnEnd(_ flush: @escaping () -> Void) {
        hooks.append(flush)
    }

    public func measured<Answer>(_ what: @autoclosure () -> String, _ work: () -> Answer) -> Answer {
        let begun = clinux_monotonic_ns()
        let answer = work()
        turnWatch.measured(what, nanoseconds: clinux_monotonic_ns() - begun)
        return answer
    }

    public func post(_ work: @escaping @Sendable () -> Void) {
        mailbox.post(work)
    }

    public func offload(_ work: @escaping @Sendable () -> Void) {
        sideThread.run(work)
    }

    // ---- running ----

    /// Turns until `stop()`. May be called again after that.
    public func run() {
        stopping = false
        flushBeforeWaiting()
        while !stopping { turn(atMostNanoseconds: nil) }
    }

    /// Ends `run` after the current turn.
    public func stop() {
        stopping = true
    }

    /// One turn; waits at most so many seconds for something to happen (nil: as long as it takes).
    public func runOnce(timeoutSeconds: Double?) {
        flushBeforeWaiting()
        turn(atMostNanoseconds: timeoutSeconds.map { UInt64(max(0, min($0, 1e9)) * 1e9) })
    }

    /// Turns until the condition holds or the time is over; whether it holds.
    @discardableResult
    public func run(until condition: () -> Bool, timeoutSeconds: Double) -> Bool {
        let deadline = Instant(nanoseconds: clinux_monotonic_ns()).advanced(bySeconds: timeoutSeconds).nanoseconds
        flushBeforeWaiting()
        while !condition() {
            let now = clinux_monotonic_ns()
            guard now < deadline else { return false }
            turn(atMostNanoseconds: deadline - now)
        }
        return true
    }

    /// What was asked for outside of any turn must not wait for the first event.
    private func flushBeforeWaiting() {
        precondition(!inTurn, "a callback may not run the loop it is called from")
        flush()
    }

    private func turn(atMostNanoseconds limit: UInt64?) {
        inTurn = true
        defer { inTurn = false }
        let count = clinux_epoll_wait(epoll, events, Self.capacity, timeout(limit))
        clocks = Self.readClocks()
        mailbox.take(into: &batch)
        if count > 0 { dispatch(Int(count)) }
        if watches.hasBroken {
            for token in watches.takeBroken() { watches.watch(of: token)?.ready(.hangup) }
        }
        var fired = 0
        while let fire = timers.popDue(clocks.monotonic.nanoseconds) {
            fired += 1
            fire()
        }
        let posted = batch.count
        if posted > 0 {
            for work in batch { work() }
            batch.removeAll(keepingCapacity: true)
        }
        flush()
        turnWatch.turnEnded(
            begun: clocks.monotonic.nanoseconds, descriptors: Int(max(0, count)), timers: fired, posted: posted)
    }

    /// How long the kernel may let us wait; 0 when there is work already.
    private func timeout(_ limit: UInt64?) -> Int64 {
        guard !watches.hasBroken, mailbox.fallAsleep() else { return 0 }
        var wait = limit
        if let deadline = timers.nextDeadline() {
            let now = clinux_monotonic_ns()
            wait = min(wait ?? .max, deadline > now ? deadline - now : 0)
        }
        return wait.map { Int64(min($0, UInt64(Int64.max))) } ?? -1
    }

    private func dispatch(_ count: Int) {
        for index in 0..<count {
            let event = events[index]
            if event.token == Self.mailboxToken {
                mailbox.drainSignal()
            } else if let watch = watches.watch(of: event.token) {
                watch.ready(Readiness(epollFlags: event.events))
            }
        }
    }

    /// A hook may give work to one that ran before it: all are called as often as there are hooks, up to 4 times.
    private func flush() {
        for _ in 0..<min(4, hooks.count) {
            for hook in hooks { hook() }
        }
    }

    private static func readClocks() -> Clocks {
        Clocks(
            monotonic: Instant(nanoseconds: clinux_monotonic_ns()),
            wall: WallTime(microseconds: clinux_realtime_us()))
    }
}
