// Who leads among the processes that share a file: a lease in a row, and the leader's memory beside it.
import Glibc
public import Ports
import TaskModel

public final class SQLiteLeadership: Leadership {
    private let file: SQLiteFile
    private let token = UUIDText.random()
    private var report: (LeadershipEvent) -> Void = { _ in }
    private var timer: (any LoopTimer)?
    /// Until when the lease holds, by a clock that cannot be set; nil: not ours.
    private var holds: Instant?
    private var isAttached = false

    /// Others take over within lease and pause, 8 s, or within the pause when they see that the process is gone.
    private static let leaseSeconds = 6.0
    private static let pauseSeconds = 2.0

    public init(file: SQLiteFile) { self.file = file }

    public var isLeading: Bool { holds.map { now < $0 } ?? false }

    public func campaign(_ report: @escaping (LeadershipEvent) -> Void) {
        self.report = report
        isAttached = true
        file.attach(self)
    }

    public func remember(_ memory: [UInt8], done: @escaping () -> Void) {
        let token = token
        file.submit(.write) { db in
            try LeaseRow.remember(memory, token: token, in: db)
        } done: { [weak self] result in
            switch result {
            case .success(true): done()
            case .success(false): self?.lose("another process leads")
            case .failure(let failure): self?.lose(failure.detail)
            }
        }
    }

    public func resign(done: @escaping () -> Void) {
        timer?.cancel()
        report = { _ in }
        holds = nil
        guard isAttached else { return done() }
        isAttached = false
        let token = token
        file.submitBestEffort(.write, because: "the lease runs out by itself") { db in
            try LeaseRow.giveUp(token: token, in: db)
        } done: { [self] in
            file.detach(self, done: done)
        }
    }

    /// The loop's clocks stand still during a turn, and a frozen process must notice at once.
    private var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    private func ask() {
        timer?.cancel()
        let asked = now
        let token = token
        let identity = HostIdentity.current
        file.submit(.write) { db in
            try LeaseRow.claim(token: token, identity: identity, seconds: Self.leaseSeconds, now: .now, in: db)
        } done: { [weak self] result in
            guard let self, isAttached else { return }
            switch result {
            case .success(.ours(let memory)):
                let wasLeading = holds != nil
                // Counted from before the question: others count from when it was answered.
                holds = asked.advanced(bySeconds: Self.leaseSeconds)
                if !wasLeading { report(.leading(memory: memory.map { [UInt8]($0) })) }
            case .success(.others):
                if holds != nil { lose("another process leads") }
                report(.following)
            case .failure(let failure):
                lose(failure.detail)
            }
            timer = file.loop.schedule(afterSeconds: Self.pauseSeconds) { [weak self] in self?.ask() }
        }
    }

    private func lose(_ reason: String) {
        holds = nil
        report(.lost(reason))
    }
}

extension SQLiteLeadership: FileUser {
    func fileUp() { ask() }
    func fileDown(_ failure: SQLiteFailure, retryInSeconds: Double) {}
    func fileBlocked(_ failure: SQLiteFailure?) {}
    func fileUnusable(_ failure: SQLiteFailure) { lose(failure.detail) }
    func fileChanged() {}
}

/// The one row of the table `leader`, made when it is first wanted.
private enum LeaseRow {
    enum Answer: Sendable {
        case ours([UInt8]?)
        case others
    }

    private static let table = """
        CREATE TABLE IF NOT EXISTS leader(
            id INTEGER PRIMARY KEY CHECK (id = 1),
            token TEXT NOT NULL,
            pid INTEGER NOT NULL, started INTEGER NOT NULL, boot TEXT NOT NULL, pid_namespace TEXT NOT NULL,
            lease_until INTEGER NOT NULL,           -- microseconds since boot
            memory BLOB)
        """

    static func claim(
        token: String, identity: HostIdentity, seconds: Double, now: BootTime, in db: Database
    ) throws -> Answer {
        try db.script("\(table) \(try Schema.strict(db))")
        let known = try db.first("SELECT * FROM leader") { row -> (isTaken: Bool, memory: [UInt8]?)? in
            var isTaken = false
            if row.read("token") != token, let holder = row.identity, let lease: Int64 = row.read("lease_until") {
                let until = BootTime(microseconds: lease)
                // A lease that ends later than any can was made by another clock.
                let isOver = until < now || until > now.advanced(bySeconds: 10 * seconds)
                isTaken = !isOver && holder.fate(seenBy: identity) != .dead
            }
            return (isTaken, row.read("memory"))
        }
        if known?.isTaken == true { return .others }
        try db.run(
            """
            INSERT INTO leader(id, token, pid, started, boot, pid_namespace, lease_until)
                VALUES (1, ?, ?, ?, ?, ?, ?)
            ON CONFLICT(id) DO UPDATE SET token = excluded.token, pid = excluded.pid, started = excluded.started,
                boot = excluded.boot, pid_namespace = excluded.pid_namespace, lease_until = excluded.lease_until
            """,
            token, identity.pid, identity.started, identity.boot, identity.namespace,
            now.advanced(bySeconds: seconds).microseconds)
        return .ours(known?.memory)
    }

    /// False: no longer ours.
    static func remember(_ memory: [UInt8], token: String, in db: Database) throws -> Bool {
        try db.run("UPDATE leader SET memory = ? WHERE token = ?", memory, token)
        return db.changesCount == 1
    }

    static func giveUp(token: String, in db: Database) throws {
        try db.run("UPDATE leader SET lease_until = 0, pid = 0 WHERE token = ?", token)
    }
}
