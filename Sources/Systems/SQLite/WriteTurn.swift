// Processes that want to write take turns: SQLite's own lock is no queue: the first to look has it.
//
// A host that commits one batch after the other leaves the lock free for microseconds only; somebody who looks every
// few milliseconds may miss that moment for ever. So a writer first takes the turn, which the
// writer of the moment has already passed on and cannot have again before the one in turn has the write lock.
import CLinux
import Glibc

/// Belongs to the file's thread. The turn is a `flock` on the wake file: gone with the process that has it.
final class WriteTurn {
    private let descriptor: Int32
    private var isOurs = false

    /// After so many looks (some seconds) it goes without: fairness is not worth standing still for. The process that
    /// has the turn for so long was stopped with it, so from then on one look is enough, until it is free again.
    private static let looks = 1000
    private var patience = looks

    init(path: String) throws(SQLiteFailure) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ChangeNotifier.unopenable(path) }
    }

    /// Waits for it.
    func take() {
        for look in 0..<patience {
            isOurs = flock(descriptor, LOCK_EX | LOCK_NB) == 0
            if isOurs {
                patience = Self.looks
                return
            }
            usleep(look < 20 ? 250 : 2500)
        }
        patience = 1
    }

    func pass() {
        guard isOurs else { return }
        isOurs = false
        _ = flock(descriptor, LOCK_UN)
    }

    func close() { _ = clinux_close(descriptor) }
}
