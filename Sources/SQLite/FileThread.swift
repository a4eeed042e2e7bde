// The thread that owns the database: gathers jobs and runs what has gathered in one transaction (group commit).
import Foundation
import GRDB

/// Everything written while one commit was on its way to the disk goes into the next one together.
final class FileThread: @unchecked Sendable {
    // Safe to share: `lock` guards what both sides touch; the rest belongs to the thread.

    private let address: SQLiteAddress
    private let door: LoopDoor
    private let news: @Sendable (FileNews) -> Void
    private let lock = NSCondition()
    private var waiting: [FileJob] = []
    private var isEnding = false

    /// Jobs in one transaction at most: bounds how long other processes wait for the lock.
    private static let batchLimit = 1000
    private static let backOff = 0.05...2.0

    /// - Parameter news: called on the loop's thread.
    init(_ address: SQLiteAddress, door: LoopDoor, news: @escaping @Sendable (FileNews) -> Void) {
        self.address = address
        self.door = door
        self.news = news
    }

    func start() {
        let thread = Thread { [self] in run() }
        thread.name = "sqlite"
        thread.start()
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
            tell(.up)
            while let batch = nextBatch() { serve(batch, connection) }
            close(connection)
        }
        // Whoever still asks gets an answer.
        for job in lock.withLock({ waiting }) { answer([job], .closed(address.path)) }
        tell(.ended)
    }

    private func open() -> FileConnection? {
        var pause = Self.backOff.lowerBound
        while !ending() {
            do {
                return try FileConnection(address)
            } catch {
                let failure = SQLiteFailure.sorting(error, path: address.path)
                guard failure.kind == .transient else {
                    refuse(failure)
                    return nil
                }
                tell(.down(failure, retryInSeconds: pause))
                rest(pause)
                pause = min(pause * 2, Self.backOff.upperBound)
            }
        }
        return nil
    }

    /// The file will not do: answers every job with the reason until we are told to end.
    private func refuse(_ failure: SQLiteFailure) {
        tell(.unusable(failure))
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
        var pause = Self.backOff.lowerBound
        var isBlocked = false
        while true {
            do {
                try connection.run(batch)
                if isBlocked { tell(.blocked(nil)) }
                answer(batch, nil)
                return
            } catch {
                let failure = SQLiteFailure.sorting(error, path: address.path)
                switch failure.kind {
                case .transient where !ending():
                    if !isBlocked { tell(.blocked(failure)) }
                    isBlocked = true
                    rest(pause)
                    pause = min(pause * 2, Self.backOff.upperBound)
                case .request where batch.count > 1:
                    // One of them is at fault: each by itself, so that it alone fails.
                    if isBlocked { tell(.blocked(nil)) }
                    for job in batch { serve([job], connection) }
                    return
                default:
                    if failure.kind == .permanent { tell(.unusable(failure)) }
                    answer(batch, failure)
                    return
                }
            }
        }
    }

    private func close(_ connection: FileConnection) {
        do {
            try connection.close()
        } catch {
            tell(.blocked(.sorting(error, path: address.path)))
        }
    }

    private func answer(_ batch: [FileJob], _ failure: SQLiteFailure?) {
        door.post {
            for job in batch { job.answer(failure) }
        }
    }

    private func tell(_ item: FileNews) {
        door.post { [news] in news(item) }
    }

    private func ending() -> Bool { lock.withLock { isEnding } }

    /// Waits, but not longer than until we are told to end.
    private func rest(_ seconds: Double) {
        let end = Date(timeIntervalSinceNow: seconds)
        lock.withLock {
            while !isEnding, lock.wait(until: end) {}
        }
    }
}
