// The embedded result store: a table beside the queue, in the same file and the same transactions.
public import Ports
import TaskModel

/// Results without a server. A state that is overtaken before a follower looks (within milliseconds) is not shown to
/// it; the last one always is.
public final class SQLiteResults: ResultStore {
    public var description: String { file.address.description }
    public var replyTo: String? { nil }

    let file: SQLiteFile
    private var events: (any ResultStoreEvents)?
    private var followers: Followers?
    private var lastSweep = WallTime(microseconds: 0)

    private static let sweepSeconds = 30.0
    private static let sweepLimit = 1000

    public init(file: SQLiteFile) { self.file = file }

    public func connect(events: any ResultStoreEvents) {
        self.events = events
        followers = followers ?? Followers(file: file)
        file.attach(self)
    }

    public func store(_ record: ResultRecord, done: @escaping (StoreFailure?) -> Void) {
        let meta = record.meta
        let sweeps = isTimeToSweep()
        file.submit(.announcedWrite) { db in
            let now = wallTime()
            try ResultRows.store(
                record.taskID, state: record.state.rawValue, meta: meta,
                expiresAfterSeconds: record.expiresAfterSeconds, now: now, in: db)
            if sweeps {
                try ResultRows.sweep(now: now, limit: Self.sweepLimit, in: db)
                try ChordRows.sweep(now: now, limit: Self.sweepLimit, in: db)
            }
        } done: { result in
            done(result.storeFailure)
        }
    }

    public func fetch(_ taskID: String, done: @escaping (Result<[UInt8]?, StoreFailure>) -> Void) {
        file.submit(.read) { db in
            try ResultRows.fetch(taskID, now: wallTime(), in: db)?.meta
        } done: { result in
            done(result.mapError(\.asStoreFailure))
        }
    }

    public func follow(_ taskID: String, changed: @escaping ([UInt8]) -> Void) -> any ResultSubscription {
        let followers = followers ?? Followers(file: file)
        self.followers = followers
        return followers.add(taskID, changed)
    }

    public func forget(_ taskID: String, done: @escaping (StoreFailure?) -> Void) {
        file.submit(.write) { db in
            try ResultRows.forget(taskID, in: db)
        } done: { result in
            done(result.storeFailure)
        }
    }

    public func close(done: @escaping () -> Void) {
        followers?.close()
        followers = nil
        file.detach(self) { [self] in
            events = nil
            done()
        }
    }

    private func isTimeToSweep() -> Bool {
        let now = file.loop.clocks.wall
        guard abs(now.seconds(since: lastSweep)) > Self.sweepSeconds else { return false }
        lastSweep = now
        return true
    }
}

extension SQLiteResults: FileUser {
    func fileUp() {
        events?.storeUp()
        followers?.start()
    }

    func fileDown(_ failure: SQLiteFailure, retryInSeconds: Double) {
        events?.storeDown(reason: failure.description, retryInSeconds: retryInSeconds)
    }

    func fileBlocked(_ failure: SQLiteFailure?) {
        if let failure {
            events?.storeDown(reason: failure.description, retryInSeconds: 1)
        } else {
            events?.storeUp()
        }
    }

    func fileUnusable(_ failure: SQLiteFailure) {
        events?.storeDown(reason: failure.description, retryInSeconds: .infinity)
    }

    func fileChanged() { followers?.look() }
}

extension SQLiteFailure {
    var asStoreFailure: StoreFailure {
        StoreFailure(detail, kind == .unfit ? .unfit : kind == .permanent ? .refused : .unavailable, fix: fix)
    }
}

extension Result where Failure == SQLiteFailure {
    var storeFailure: StoreFailure? {
        if case .failure(let failure) = self { failure.asStoreFailure } else { nil }
    }
}
