// Processes that want to write take turns: SQLite's own lock is no queue: the first to look has it.
//
// A host that commits one batch after the other leaves the lock free for microseconds only; somebody who looks every
// few milliseconds may miss that moment for ever. So a writer first takes the turn, which the
// writer of the moment has already passed on and cannot have again before the one in turn has the write lock.
import CLinux
import Glibc

/// Belongs to the file's thread. The turn is a `flock` on the wake file: gone with the process that has it. Those who want it
/// have it in the order of arrival (`TurnQueue`).
final class WriteTurn {
    private enum Place { case nowhere, own, queue }

    private let descriptor: Int32
    private let queue: TurnQueue
    private var place = Place.nowhere

    /// After so long it goes without: fairness is not worth standing still for. The process that
    /// has the turn for so long was stopped with it, so from then on nobody waits, until it is free again.
    private static let patienceSeconds = 2.5
    private var patience = patienceSeconds

    init(path: String) throws(SQLiteFailure) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ChangeNotifier.unopenable(path) }
        do throws(SQLiteFailure) {
            queue = try TurnQueue(path: path)
        } catch {
            _ = clinux_close(descriptor)
            throw error
        }
    }

    /// Waits for it.
    func take() {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
            place = .own
        } else if queue.wait(seconds: patience) {
            place = .queue
        } else {
            patience = 0
            return
        }
        patience = Self.patienceSeconds
    }

    func pass() {
        switch place {
        case .nowhere: return
        case .own: _ = flock(descriptor, LOCK_UN)
        case .queue: queue.pass()
        }
        place = .nowhere
    }

    func close() {
        _ = clinux_close(descriptor)
        queue.close()
    }
}
