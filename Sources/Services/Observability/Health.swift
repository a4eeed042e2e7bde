// Whether we live and whether we are ready, as the server's thread may ask.
import Glibc
import Synchronization

public final class Health: Sendable {
    private struct State {
        var turnedAt = Health.now()
        var reason: String? = "starting"
    }

    /// The loop turns at least once a second; longer than this it hangs.
    static let longestTurn = 10.0
    private let state = Mutex(State())

    public init() {}

    /// Said by the loop, once a second.
    /// - reason: why we are not ready; nil: we are.
    public func loopTurned(notReadyBecause reason: String?) {
        state.withLock { $0 = State(turnedAt: Self.now(), reason: reason) }
    }

    /// nil: it lives.
    public var notAliveBecause: String? {
        let idle = Self.now() - state.withLock { $0.turnedAt }
        return idle > Self.longestTurn ? "the loop has not turned for \(Int(idle)) s" : nil
    }

    /// nil: it is ready.
    public var notReadyBecause: String? { notAliveBecause ?? state.withLock { $0.reason } }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
