// Who waits for which result, and how a change made by any process reaches them.
import Ports

/// Belongs to the loop's thread. Each stored result has a growing number; a look reads what is above the last one.
final class Followers {
    private final class Follower: ResultSubscription {
        let taskID: String
        let changed: ([UInt8]) -> Void
        /// The number of the last document shown.
        var seq: Int64 = 0
        private weak var home: Followers?

        init(_ taskID: String, home: Followers, changed: @escaping ([UInt8]) -> Void) {
            self.taskID = taskID
            self.home = home
            self.changed = changed
        }

        func cancel() { home?.remove(self) }
    }

    private struct Change: Sendable {
        var taskID: String
        var stored: ResultRows.Stored
    }

    private let file: SQLiteFile
    private var byTask: [String: [Follower]] = [:]
    /// Everything up to here has been shown; nil: not looked at yet.
    private var seen: Int64?
    private var isLooking = false
    private var looksAgain = false
    private var timer: (any LoopTimer)?
    private var isClosed = false

    private static let pollSeconds = 1.0

    init(file: SQLiteFile) { self.file = file }

    /// The file is open: earlier followers get what is there.
    func start() {
        for follower in byTask.values.joined() { showPresent(to: follower) }
    }

    func add(_ taskID: String, _ changed: @escaping ([UInt8]) -> Void) -> any ResultSubscription {
        let follower = Follower(taskID, home: self, changed: changed)
        byTask[taskID, default: []].append(follower)
        showPresent(to: follower)
        poll()
        return follower
    }

    private func showPresent(to follower: Follower) {
        let taskID = follower.taskID
        file.submit(.read) { db in
            // The last number first: what is stored in between is then seen by the next look.
            (try ResultRows.lastSeq(in: db), try ResultRows.fetch(taskID, now: wallTime(), in: db))
        } done: { [weak self, weak follower] result in
            // A failure here is the file's, and reported by it; the next look makes up for it.
            guard let self, let follower, case .success(let (last, stored)) = result else { return }
            let isFirst = seen == nil
            seen = seen ?? last
            if let stored { show(stored, to: follower) }
            // A change that came before the starting point was known has not been looked at.
            if isFirst { look() }
        }
    }

    func look() {
        guard !byTask.isEmpty, !isClosed, let seen else { return }
        guard !isLooking else {
            looksAgain = true
            return
        }
        isLooking = true
        let wanted = Set(byTask.keys)
        file.submit(.read) { db in
            let changes = try ResultRows.changes(after: seen, in: db)
            let now = wallTime()
            return (
                changes.last?.seq ?? seen,
                try changes.filter { wanted.contains($0.taskID) }.compactMap { change in
                    try ResultRows.fetch(change.taskID, now: now, in: db)
                        .map { Change(taskID: change.taskID, stored: $0) }
                }
            )
        } done: { [weak self] result in
            self?.looked(result)
        }
    }

    func close() {
        isClosed = true
        timer?.cancel()
        byTask.removeAll()
    }

    private func looked(_ result: Result<(Int64, [Change]), SQLiteFailure>) {
        isLooking = false
        if case .success(let (last, changes)) = result {
            seen = last
            for change in changes {
                for follower in byTask[change.taskID] ?? [] { show(change.stored, to: follower) }
            }
        }
        if looksAgain {
            looksAgain = false
            look()
        }
    }

    private func show(_ stored: ResultRows.Stored, to follower: Follower) {
        guard stored.seq > follower.seq, byTask[follower.taskID]?.contains(where: { $0 === follower }) ?? false else {
            return
        }
        follower.seq = stored.seq
        follower.changed(stored.meta)
    }

    private func remove(_ follower: Follower) {
        byTask[follower.taskID]?.removeAll { $0 === follower }
        guard byTask[follower.taskID]?.isEmpty ?? false else { return }
        byTask[follower.taskID] = nil
        guard byTask.isEmpty else { return }
        timer?.cancel()
        timer = nil
        seen = nil
    }

    private func poll() {
        guard timer == nil, !isClosed else { return }
        timer = file.loop.schedule(afterSeconds: Self.pollSeconds) { [weak self] in
            self?.timer = nil
            guard let self, !byTask.isEmpty else { return }
            look()
            poll()
        }
    }
}
