// The thread that owns the database: gathers jobs and runs what has gathered in one transaction (group commit).
import Linux
import Ports
import TaskModel

/// Everything written while one commit was on its way to the disk goes into the next one together.
final class FileThread: @unchecked Sendable {
    // Safe to share: `lock` guards what both sides touch; the rest belongs to the thread.

    private let address: SQLiteAddress
    private let door: LoopDoor
    private let event: @Sendable (FileEvent) -> Void
    private let lock = Condition()
    private var waiting: [FileJob] = []
    private var isEnding = false

    /// Jobs in one transaction at most: bounds how long other processes wait for the lock.
    private static let batchLimit = 1000
    private static let backoff = Backoff(initial: 0.05, max: 2)

    /// - Parameter event: called on the loop's thread.
    init(_ address: SQLiteAddress, door: LoopDoor, event: @escaping @Sendable (FileEvent) -> Void) {
        self.address = address
        self.door = door
        self.event = event
    }

    func start() {
        guard OwnThread.run({ [self] in run() }) else {
            // Nothing is lost by that: what is submitted is answered, and the file stays as it is.
            let failure = SQLiteFailure(.permanent, "\(address.path) cannot be used: the system gives no more threads")
            return door.post { [self] in
                event(.unusable(failure))
                for job in lock.withLock({ waiting }) { job.answer(failure) }
                event(.ended)
            }
        }
    }

    func submit(_ job: FileJob) {
        lock.withLock {
            waiting.append(job)
            lock.signal()
        }
    }

    /// Runs what is waiting, then ends the thread. Jobs that cannot be run by then are answered with a failure.
    func end() {
        lock.withLock {
            isEnding = true
            lock.signal()
        }
    }

    // ---- on the thread ----

    private func run() {
        if let connection = open() {
            report(.up)
            while let batch = nextBatch() {
                do throws(SQLiteFailure) {
                    try connection.checkPlace()
                } catch {
                    answer(batch, error)
                    // Closing would remove the log of the file that has the name now: nothing of it is touched.
                    _ = Unmanaged.passRetained(connection)
                    refuse(error)
                    report(.ended)
                    return
                }
                serve(batch, connection)
            }
            close(connection)
        }
        // Jobs that still wait get an answer.
        for job in lock.withLock({ waiting }) { answer([job], .closed(address.path)) }
        report(.ended)
    }

    private func open() -> FileConnection? {
        var backoff = Self.backoff
        while !ending() {
            do {
                return try FileConnection(address)
            } catch {
                let failure = SQLiteFailure.sorting(error, path: address.path)
                guard failure.kind == .transient else {
                    refuse(failure)
                    return nil
                }
                let pause = backoff.next()
                report(.down(failure, retryInSeconds: pause))
                rest(pause)
            }
        }
        return nil
    }

    /// The file will not do: answers every job with the reason until it is to end.
    private func refuse(_ failure: SQLiteFailure) {
        report(.unusable(failure))
        while let batch = nextBatch() { answer(batch, failure) }
    }

    private func nextBatch() -> [FileJob]? {
        lock.withLock {
            while waiting.isEmpty, !isEnding { lock.wait() }
            guard !waiting.isEmpty else { return nil }
            let batch = Array(waiting.prefix(Self.batchLimit))
            waiting.removeFirst(batch.count)
            return batch
        }
    }

    /// Runs a batch until it is done or cannot be, however long the disk is full.
    private func serve(_ batch: [FileJob], _ connection: FileConnection) {
        var backoff = Self.backoff
        var isBlocked = false
        while true {
            do {
                try connection.run(batch)
                if isBlocked { report(.blocked(nil)) }
                for job in batch { job.finish?() }
                answer(batch, nil)
                return tidyLog(connection)
            } catch {
                let failure = SQLiteFailure.sorting(error, path: address.path)
                switch failure.kind {
                case .transient where !ending():
                    if !isBlocked { report(.blocked(failure)) }
                    isBlocked = true
                    rest(backoff.next())
                case .request where batch.count > 1, .unfit where batch.count > 1:
                    // One of them is at fault: each by itself, so that it alone fails.
                    if isBlocked { report(.blocked(nil)) }
                    for job in batch { serve([job], connection) }
                    return
                default:
                    if failure.kind == .permanent { report(.unusable(failure)) }
                    answer(batch, failure)
                    return
                }
            }
        }
    }

    private func tidyLog(_ connection: FileConnection) {
        do {
            try connection.tidyLog()
        } catch {
            // It is tried again after the next batch; if nothing works any more, that batch says so.
            return
        }
    }

    private func close(_ connection: FileConnection) {
        do {
            try connection.close()
        } catch {
            report(.blocked(.sorting(error, path: address.path)))
        }
    }

    private func answer(_ batch: [FileJob], _ failure: SQLiteFailure?) {
        door.post {
            for job in batch { job.answer(failure) }
        }
    }

    private func report(_ item: FileEvent) {
        door.post { [event] in event(item) }
    }

    private func ending() -> Bool { lock.withLock { isEnding } }

    /// Waits, but not longer than until it is to end.
    private func rest(_ seconds: Double) {
        let end = Condition.Deadline(afterSeconds: seconds)
        lock.withLock {
            while !isEnding, lock.wait(until: end) {}
        }
    }
}
