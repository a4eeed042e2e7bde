// The kernel's queue for the turn to write, for a thread that must not wait for ever.
//
// To look every now and then whether the turn is free is a lottery: with four hosts one of a hundred looked in vain for a
// tenth of a second. Who blocks in `flock` is served in the order of arrival, and woken when it is its turn; but that call
// knows no time limit, and a process may be stopped while it has the turn. So a thread beside the file's blocks.
import CLinux
import Glibc
import Linux
import Ports

/// Used by the file's thread. The waiting thread is started when somebody else has the turn for the first time.
final class TurnQueue: @unchecked Sendable {
    // Safe to share: `lock` guards all that changes.

    /// A descriptor of its own: a lock belongs to what was opened, and the file's thread may take its own meanwhile.
    private let descriptor: Int32
    private let lock = Condition()
    private var hasThread = false
    /// The thread is to wait, or does.
    private var isAsked = false
    /// Somebody waits for what the thread gets; otherwise it gives it back.
    private var isWanted = false
    private var isGranted = false
    private var isEnding = false

    private static let stackBytes = 128 << 10

    init(path: String) throws(SQLiteFailure) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ChangeNotifier.unopenable(path) }
    }

    /// - Returns: false: it took too long, or there is no thread to wait. Otherwise `pass` must follow.
    func wait(seconds: Double) -> Bool {
        lock.withLock {
            guard startThread() else { return false }
            isAsked = true
            isWanted = true
            defer { isWanted = false }
            lock.broadcast()
            let end = Condition.Deadline(afterSeconds: seconds)
            while !isGranted, lock.wait(until: end) {}
            guard isGranted else { return false }
            isGranted = false
            isAsked = false
            return true
        }
    }

    func pass() { _ = flock(descriptor, LOCK_UN) }

    /// The thread, if it blocks, ends as soon as it has the turn.
    func close() {
        lock.withLock {
            guard hasThread else { return Self.close(descriptor) }
            isEnding = true
            lock.broadcast()
        }
    }

    private func startThread() -> Bool {
        if !hasThread { hasThread = OwnThread.run(stackBytes: Self.stackBytes) { [self] in run() } }
        return hasThread
    }

    private func run() {
        while next() {
            // It fails by signals only, and this thread gets none.
            while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
            granted()
        }
        Self.close(descriptor)
    }

    /// Waits until it is to wait for the turn; false: until it is to end.
    private func next() -> Bool {
        lock.withLock {
            while (!isAsked || isGranted) && !isEnding { lock.wait() }
            return !isEnding
        }
    }

    private func granted() {
        lock.withLock {
            if isWanted {
                isGranted = true
                lock.broadcast()
            } else {
                isAsked = false
                pass()
            }
        }
    }

    private static func close(_ descriptor: Int32) { _ = clinux_close(descriptor) }
}
