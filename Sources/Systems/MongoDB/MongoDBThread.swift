// The thread that owns libmongoc's client, which blocks: one operation after the other, answered on the loop.
import Linux
import Ports
import TaskModel

final class MongoDBThread: @unchecked Sendable {
    // Safe to share: `lock` guards what both sides touch; the session belongs to the thread.

    /// Carried through the thread, which uses nothing of it but `post`.
    private struct Job: @unchecked Sendable {
        let operation: MongoDBOperation
        let loop: any EventLoop
        let done: (MongoDBOutcome) -> Void

        func answer(_ outcome: MongoDBOutcome) { loop.post { done(outcome) } }
    }

    private let address: MongoDBAddress
    private let collections: MongoDBCollections
    private let lock = Condition()
    private var waiting: [Job] = []
    private var isEnding = false
    private var isRunning = false

    init(_ address: MongoDBAddress, _ collections: MongoDBCollections) {
        self.address = address
        self.collections = collections
    }

    /// - Parameter done: called on the loop's thread, once; not at all when the thread has been ended by then.
    func run(_ operation: MongoDBOperation, on loop: any EventLoop, done: @escaping (MongoDBOutcome) -> Void) {
        let job = Job(operation: operation, loop: loop, done: done)
        let starts = lock.withLock { () -> Bool in
            waiting.append(job)
            lock.signal()
            defer { isRunning = true }
            return !isRunning
        }
        guard starts, !OwnThread.run({ [self] in serve() }) else { return }
        lock.withLock {
            isRunning = false
            waiting.removeAll()
        }
        job.answer(.failed(MongoDBError(.passing, "the system gives no more threads (ulimit -u)")))
    }

    /// What is under way may still be done, without a call back.
    func end() {
        lock.withLock {
            isEnding = true
            waiting.removeAll()
            lock.signal()
        }
    }

    // ---- on the thread ----

    private func serve() {
        var session: MongoDBSession?
        while let job = next() {
            let outcome: MongoDBOutcome
            do throws(MongoDBError) {
                let open: MongoDBSession
                if let session { open = session } else { open = try MongoDBSession(address, collections) }
                session = open
                outcome = open.run(job.operation)
            } catch {
                outcome = .failed(error)
            }
            // After a loss libmongoc would rest for 5 s before it looks for a server again.
            if case .failed(let error) = outcome, error.kind == .passing || error.kind == .refused { session = nil }
            if !lock.withLock({ isEnding }) { job.answer(outcome) }
        }
    }

    private func next() -> Job? {
        lock.withLock {
            while waiting.isEmpty, !isEnding { lock.wait() }
            return waiting.isEmpty ? nil : waiting.removeFirst()
        }
    }
}
