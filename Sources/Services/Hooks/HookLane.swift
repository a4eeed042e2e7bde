// The deliveries of one hook, one after the other, off the loop.
import Dispatch
import Synchronization

/// Bounded: who cannot keep up loses events, and never slows anybody.
final class HookLane: Sendable {
    private struct State {
        var waiting = 0
        var bytes = 0
        var dropped = 0
        /// When drops were last reported, seconds of the monotonic clock.
        var reportedAt: Double?
        var whenEmpty: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let queue: DispatchQueue
    private let room: Int
    private let roomBytes: Int

    /// Between two lines about events that were dropped.
    private static let quietSeconds = 10.0

    /// - Parameters:
    ///   - room: works that may wait.
    ///   - roomBytes: what they may weigh together; one alone may weigh more.
    init(name: String, room: Int, roomBytes: Int) {
        queue = DispatchQueue(label: "hook \(name)")
        self.room = room
        self.roomBytes = roomBytes
    }

    enum Taken: Equatable {
        case taken
        /// Drops since the last report; nil: not to be reported now.
        case dropped(tell: Int?)
    }

    /// - Parameter weight: bytes that it keeps in memory, about.
    func add(weight: Int = 0, _ work: @escaping @Sendable () -> Void) -> Taken {
        let taken = state.withLock { state -> Taken in
            guard state.waiting >= room || (state.waiting > 0 && state.bytes + weight > roomBytes) else {
                state.waiting += 1
                state.bytes += weight
                return .taken
            }
            state.dropped += 1
            let now = Double(DispatchTime.now().uptimeNanoseconds) / 1e9
            guard state.reportedAt.map({ now - $0 >= Self.quietSeconds }) ?? true else { return .dropped(tell: nil) }
            state.reportedAt = now
            defer { state.dropped = 0 }
            return .dropped(tell: state.dropped)
        }
        guard taken == .taken else { return taken }
        queue.async { [self] in
            work()
            finished(weight)
        }
        return .taken
    }

    /// What waits or is under way.
    var waiting: Int { state.withLock { $0.waiting } }

    /// Calls once nothing waits, from any thread.
    func whenEmpty(_ call: @escaping @Sendable () -> Void) {
        let isEmpty = state.withLock { state in
            if state.waiting > 0 { state.whenEmpty = call }
            return state.waiting == 0
        }
        if isEmpty { call() }
    }

    private func finished(_ weight: Int) {
        let call = state.withLock { state -> (@Sendable () -> Void)? in
            state.waiting -= 1
            state.bytes -= weight
            guard state.waiting == 0 else { return nil }
            defer { state.whenEmpty = nil }
            return state.whenEmpty
        }
        call?()
    }
}
