// Work handed to the loop's thread, from any thread.

internal import CLinux
internal import Synchronization

/// A queue of closures with an eventfd that is touched only while the loop sleeps.
///
/// Costs one short lock per post and per turn; the system call only when it is needed.
public final class Mailbox: Sendable {
    typealias Work = @Sendable () -> Void

    private struct State {
        var work: [Work] = []
        /// The loop waits, or is about to: only a signal makes it look here.
        var asleep = false
    }

    private let state = Mutex(State())
    let descriptor: Int32

    init() throws(LoopFailure) {
        descriptor = try checked("eventfd", clinux_eventfd())
    }

    deinit {
        _ = clinux_close(descriptor)
    }

    /// Runs `work` on the loop's thread, in the order of posting, in this or a following turn.
    public func post(_ work: @escaping @Sendable () -> Void) {
        let wake = state.withLock { state in
            state.work.append(work)
            defer { state.asleep = false }
            return state.asleep
        }
        // Cannot fail: the descriptor is open as long as we are, and a full counter wakes as well.
        if wake { _ = clinux_eventfd_signal(descriptor) }
    }

    /// True when nothing is there and posts will signal from now on.
    func fallAsleep() -> Bool {
        state.withLock { state in
            guard state.work.isEmpty else { return false }
            state.asleep = true
            return true
        }
    }

    /// Moves what is there to `batch` (which must be empty) and leaves its storage here for the next round.
    func take(into batch: inout [@Sendable () -> Void]) {
        state.withLock { state in
            state.asleep = false
            if !state.work.isEmpty { swap(&state.work, &batch) }
        }
    }

    func drainSignal() {
        _ = clinux_eventfd_drain(descriptor)
    }
}
