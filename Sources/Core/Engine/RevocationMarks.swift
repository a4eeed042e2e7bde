// REVOKED in the result store as soon as a task is revoked, so that clients need not wait until its message comes.
import CeleryWire
import Logging
import Ports
import TaskModel

/// A few at a time: one command may name tens of thousands, and neither the loop nor the store is to stand still for
/// it. On the loop.
final class RevocationMarks {
    private static let batch = 100
    /// Beyond these it is left to the messages themselves, when they come.
    private static let maxWaiting = 200_000

    private let store: any ResultStore
    private let loop: any EventLoop
    private let log: Logger
    private let expires: Double?
    /// Seconds that a state is kept beyond the time of its task: the task may have to wait for a worker.
    static let margin = 86_400.0
    private struct Mark {
        var id: String
        /// Its state is kept until then, as its message is.
        var due: WallTime?
    }
    private var waiting: [Mark] = []
    private var next = 0
    private var isAsking = 0
    /// Of those asked for so far: how many could not be marked, and why the last one could not.
    private var failed = 0
    private var lastFailure: StoreFailure?
    private var isClosed = false

    /// - Parameter expires: seconds that results are kept; nil: for ever.
    init(store: any ResultStore, loop: any EventLoop, log: Logger, expires: Double?) {
        self.store = store
        self.loop = loop
        self.log = log
        self.expires = expires
    }

    /// To be called before the store is closed: nothing more is asked of it. What has no state yet gets it when its
    /// message comes.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        let left = waiting.count - next + isAsking
        (waiting, next) = ([], 0)
        reportFailures()
        if left > 0 {
            log.warning("\(left) revoked tasks get their state REVOKED only when their messages come: the worker stops")
        }
    }

    /// - Parameter due: when they are due, of those that wait in the broker.
    func add(_ ids: [String], due: WallTime? = nil) {
        guard !isClosed else { return }
        let room = max(0, Self.maxWaiting - (waiting.count - next))
        if ids.count > room {
            log.warning("\(ids.count - room) revoked tasks get their state REVOKED only when their messages come")
        }
        waiting += ids.prefix(room).map { Mark(id: $0, due: due) }
        proceed()
    }

    /// Only those that have not begun (celery-protocol.md §5.7).
    private func proceed() {
        guard isAsking == 0 else { return }
        let marks = waiting[next..<min(next + Self.batch, waiting.count)]
        guard !marks.isEmpty else {
            (waiting, next) = ([], 0)
            return reportFailures()
        }
        next = marks.endIndex
        isAsking = marks.count
        for mark in marks {
            store.fetch(mark.id) { [self] answer in take(answer, for: mark) }
        }
    }

    private func take(_ answer: Result<[UInt8]?, StoreFailure>, for mark: Mark) {
        guard !isClosed else { return }
        switch answer {
        case .failure(let failure): note(failure)
        case .success(let document):
            if Self.mayStillStart(document, isDueLater: mark.due != nil) {
                store.store(record(of: mark)) { [self] in if let failure = $0 { note(failure) } }
            }
        }
        isAsking -= 1
        // In another loop iteration: a store that answers at once must not make one long one of them all.
        if isAsking == 0 { _ = loop.schedule(afterSeconds: 0) { [self] in proceed() } }
    }

    private func note(_ failure: StoreFailure) {
        guard !isClosed else { return }
        failed += 1
        lastFailure = failure
        // After everything else; no later answer would report it.
        if isAsking == 0, waiting.isEmpty { reportFailures() }
    }

    /// One line for all of a command.
    private func reportFailures() {
        guard failed > 0, let failure = lastFailure else { return }
        log.error(
            "\(failed) revoked tasks get their state REVOKED only when their messages come: it could not be stored: \(failure)"
        )
        (failed, lastFailure) = (0, nil)
    }

    private func record(of mark: Mark) -> ResultRecord {
        let meta = ResultMeta.revoked(
            of: TaskMessage(id: mark.id, name: ""), reason: "revoked", at: loop.clocks.wall,
            children: Array("null".utf8), extended: nil)
        let wait = mark.due.map { max(0, $0.seconds(since: loop.clocks.wall)) + Self.margin } ?? 0
        return ResultRecord(
            taskID: mark.id, state: .revoked, meta: meta, replyTo: nil, correlationID: nil,
            expiresAfterSeconds: expires.map { max($0, wait) })
    }

    /// - Parameter isDueLater: a worker that did not know when it is due may have stored REVOKED for too short a time.
    private static func mayStillStart(_ document: [UInt8]?, isDueLater: Bool) -> Bool {
        guard let document else { return true }
        do {
            let state = try ReceivedMeta(parsing: document).state
            if state == .revoked { return isDueLater }
            return [.pending, .retry, TaskState(rawValue: "RECEIVED"), TaskState(rawValue: "REJECTED")].contains(state)
        } catch {
            // What we cannot read we had better not write over.
            return false
        }
    }
}
