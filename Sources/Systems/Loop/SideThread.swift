// A thread beside the loop, for computations that would keep it and for files: made when it is first needed.

internal import Ports
internal import Synchronization

/// One piece of work after the other, in the order given. The thread ends when nothing is left to do.
final class SideThread: Sendable {
    typealias Work = @Sendable () -> Void

    private struct State {
        var waiting: [Work] = []
        var runs = false
    }

    private let state = Mutex(State())

    func run(_ work: @escaping Work) {
        let isNeeded = state.withLock { state in
            state.waiting.append(work)
            defer { state.runs = true }
            return !state.runs
        }
        // Where the system gives no more threads it is done here: late is better than never.
        // Trees of values are freed recursively, and a hostile body may be nested hundreds of levels deep.
        if isNeeded, !OwnThread.run(stackBytes: 8 << 20, { [self] in drain() }) { drain() }
    }

    private func drain() {
        while true {
            let some = state.withLock { state -> [Work] in
                var some: [Work] = []
                swap(&some, &state.waiting)
                if some.isEmpty { state.runs = false }
                return some
            }
            guard !some.isEmpty else { return }
            for work in some { work() }
        }
    }
}
