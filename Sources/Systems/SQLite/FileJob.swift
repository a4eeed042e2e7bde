// One request to the file's thread, and the way back to the loop.
import Ports

/// A request, run on the file's thread and answered on the loop's.
struct FileJob: Sendable {
    enum Kind: Sendable, Equatable {
        case read
        /// A write that has to survive this process, but not the machine: alone it waits for no disk.
        case note
        case write
        /// A write that other processes may be waiting for.
        case announcedWrite
    }

    let kind: Kind
    /// May run more than once, when the transaction around it had to be repeated; only the last run counts.
    let run: @Sendable (Database) throws -> Void
    /// What needs no database: called on the file's thread after the commit, when others may write already.
    let finish: (@Sendable () -> Void)?
    /// Called on the loop's thread, after the commit.
    let answer: @Sendable (SQLiteFailure?) -> Void

    /// - Parameter done: called on the loop's thread; it need not be Sendable for that reason.
    init<Value: Sendable>(
        _ kind: Kind, _ body: @escaping @Sendable (Database) throws -> Value,
        finish: (@Sendable (inout Value) -> Void)? = nil, done: @escaping (Result<Value, SQLiteFailure>) -> Void
    ) {
        let slot = Slot<Value>(done)
        self.kind = kind
        run = { db in slot.value = try body(db) }
        if let finish {
            self.finish = { slot.finish(finish) }
        } else {
            self.finish = nil
        }
        answer = { failure in slot.answer(failure) }
    }

    /// The value travels with the job: written on the file's thread, read on the loop's after a post, never at once.
    private final class Slot<Value: Sendable>: @unchecked Sendable {
        var value: Value?
        private let done: (Result<Value, SQLiteFailure>) -> Void

        init(_ done: @escaping (Result<Value, SQLiteFailure>) -> Void) { self.done = done }

        func finish(_ work: (inout Value) -> Void) {
            guard var known = value else { return }
            value = nil  // so that the work changes it in place
            work(&known)
            value = known
        }

        func answer(_ failure: SQLiteFailure?) {
            if let value, failure == nil {
                done(.success(value))
            } else {
                done(.failure(failure ?? SQLiteFailure(.request, "A request to the database was never run")))
            }
        }
    }
}

/// The one call of a loop that other threads may make.
struct LoopDoor: @unchecked Sendable {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func post(_ work: @escaping @Sendable () -> Void) { loop.post(work) }
}

/// What the file's thread reports to the loop, beside answers.
enum FileEvent: Sendable {
    case up
    case down(SQLiteFailure, retryInSeconds: Double)
    /// nil: it works again.
    case blocked(SQLiteFailure?)
    case unusable(SQLiteFailure)
    case ended
}
