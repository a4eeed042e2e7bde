// Who leads among the processes of one virtual host: the owner of an exclusive queue.
import CLinux
import Glibc
public import Ports
import Synchronization
import TaskModel

/// Talks to the broker over a connection and a thread of its own; a dead leader's connection ends, and its queue with
/// it. Calls and callbacks on the loop.
public final class RabbitMQLeadership: Leadership {
    private let addresses: [RabbitMQAddress]
    private let options: RabbitMQOptions
    private let post: LoopPost
    private let seat = LeaderSeat()
    private var report: (LeadershipEvent) -> Void = { _ in }
    private var term = 0
    private var isCurrent = false
    private var whenStored: [Int: () -> Void] = [:]
    private var stores = 0
    private var whenOver: (() -> Void)?

    public init(broker: RabbitMQBroker) {
        addresses = broker.addresses
        options = broker.options
        post = LoopPost(broker.loop)
    }

    public var isLeading: Bool { isCurrent && seat.isFresh }

    public func campaign(_ report: @escaping (LeadershipEvent) -> Void) {
        self.report = report
        let (post, target) = (post, OnLoop(Weak(self)))
        let thread = LeaderThread(addresses, options, seat) { news in
            post { target.value.object?.take(news) }
        }
        if !OwnThread.run({ thread.run() }) {
            seat.stop()
            report(.lost("the system gives no more threads"))
        }
    }

    public func remember(_ memory: [UInt8], done: @escaping () -> Void) {
        stores += 1
        whenStored[stores] = done
        seat.store(memory, number: stores)
    }

    public func resign(done: @escaping () -> Void) {
        report = { _ in }
        isCurrent = false
        whenOver = done
        if !seat.stop() { over() }
    }

    private func over() {
        whenOver?()
        whenOver = nil
    }

    private func take(_ news: LeaderThread.Event) {
        switch news {
        case .leading(let memory):
            isCurrent = true
            report(.leading(memory: memory))
        case .following: report(.following)
        case .lost(let reason):
            isCurrent = false
            whenStored = [:]
            report(.lost(reason))
        case .stored(let number): whenStored.removeValue(forKey: number)?()
        case .over: over()
        }
    }
}

/// What loop and thread share.
final class LeaderSeat: Sendable {
    struct Order {
        var number: Int
        var memory: [UInt8]
    }

    private struct State {
        var order: Order?
        var isRunning = true
        /// When the connection was last seen to be alive, on the monotonic clock.
        var seen = Instant(nanoseconds: 0)
    }

    private let state = Mutex(State())

    /// Frozen for longer, the broker may have given the queue to another.
    static let freshSeconds = 5.0

    var isFresh: Bool { state.withLock { Self.now.seconds(since: $0.seen) < Self.freshSeconds } }
    var isRunning: Bool { state.withLock { $0.isRunning } }
    func touch() { state.withLock { $0.seen = Self.now } }
    func store(_ memory: [UInt8], number: Int) { state.withLock { $0.order = Order(number: number, memory: memory) } }

    func takeOrder() -> Order? {
        state.withLock { state in
            defer { state.order = nil }
            return state.order
        }
    }

    /// False: it was stopped before.
    @discardableResult
    func stop() -> Bool {
        state.withLock { state in
            defer { state.isRunning = false }
            return state.isRunning
        }
    }

    private static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }
}
