// Hosts in the file: who holds messages, until when, and who is gone.
import TaskModel

/// How long a silent host keeps what it holds.
public struct LeaseTimes: Sendable, Equatable {
    /// Seconds a lease lasts from its renewal.
    public var lease: Double
    /// Seconds between renewals.
    public var renewal: Double
    /// Seconds others wait beyond the end of a lease, in case clocks disagree.
    public var allowance: Double

    /// Others take over within `lease + allowance` = 35 s at the latest.
    public init(lease: Double = 30, renewal: Double = 10, allowance: Double = 5) {
        self.lease = lease
        self.renewal = renewal
        self.allowance = allowance
    }
}

enum HostRows {
    /// A fresh host number. It is never used twice, so it fences out an owner who lost its lease.
    static func register(_ identity: HostIdentity, until: BootTime, in db: Database) throws -> Int64 {
        try db.run(
            """
            INSERT INTO host(pid, started, boot, pid_namespace, lease_until, alive_until)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            identity.pid, identity.started, identity.boot, identity.namespace, olderLease(until),
            until.microseconds)
        return db.lastInsertedRowID
    }

    /// False when the lease is lost.
    static func renew(_ host: Int64, until: BootTime, in db: Database) throws -> Bool {
        try db.run(
            "UPDATE host SET lease_until = ?, alive_until = ? WHERE id = ?", olderLease(until), until.microseconds, host
        )
        return db.changesCount == 1
    }

    /// For processes of layouts before 3 that have the file open still: they go by the wall clock.
    private static func olderLease(_ until: BootTime) -> Int64 {
        wallTime().advanced(bySeconds: until.seconds(since: .now)).microseconds
    }

    static func exists(_ host: Int64, in db: Database) throws -> Bool {
        try db.value("SELECT EXISTS(SELECT 1 FROM host WHERE id = ?)", host) ?? false
    }

    static func remove(_ host: Int64, in db: Database) throws {
        try db.run("DELETE FROM host WHERE id = ?", host)
    }

    /// What of the messages it holds has started. One that it holds no more does no harm.
    static func note(started rows: [Int64], of host: Int64, in db: Database) throws {
        try db.run("UPDATE host SET started_rows = ? WHERE id = ?", rows.map(String.init).joined(separator: " "), host)
    }

    /// Hosts whose messages are free to take: their process is gone, or they have been silent for too long.
    static func lost(
        seenBy observer: HostIdentity, except own: Int64?, now: BootTime, allowance: Double, in db: Database
    ) throws -> [Int64] {
        try db.rows(
            """
            SELECT id, pid, started, boot, pid_namespace, lease_until, alive_until,
                EXISTS(SELECT 1 FROM message WHERE state = 2 AND host = host.id) AS holds
            FROM host WHERE id IS NOT ?
            """, own
        ) { row in
            guard let id: Int64 = row.read("id") else { return nil }
            // No host writes what cannot be read, so there is none behind it.
            guard let identity = row.identity else { return id }
            let fate = identity.fate(seenBy: observer)
            // A living host that holds nothing renews nothing; its row does no harm.
            let isLost =
                fate == .dead || (isSilent(row, now, allowance) && (row.read("holds") ?? false || fate == .unknown))
            return isLost ? id : nil
        }
    }

    private static func isSilent(_ row: Row, _ now: BootTime, _ allowance: Double) -> Bool {
        if let until: Int64 = row.read("alive_until") {
            return BootTime(microseconds: until).advanced(bySeconds: allowance) < now
        }
        // Registered by a taskhost of a layout before 3.
        guard let until: Int64 = row.read("lease_until") else { return true }
        return WallTime(microseconds: until).advanced(bySeconds: allowance) < wallTime()
    }

    /// Takes away what the hosts hold, if they are still lost now that we have the lock. The number of messages freed.
    static func reclaim(
        _ candidates: [Int64], observer: HostIdentity, own: Int64?, now: BootTime, allowance: Double, in db: Database
    ) throws -> Int {
        guard !candidates.isEmpty else { return 0 }
        var freed = 0
        for host in try lost(seenBy: observer, except: own, now: now, allowance: allowance, in: db) {
            try MessageRows.loseStarts(try started(of: host, in: db), heldBy: host, in: db)
            freed += try MessageRows.requeueAll(heldBy: host, in: db)
            try remove(host, in: db)
        }
        return freed
    }

    private static func started(of host: Int64, in db: Database) throws -> [Int64] {
        let text: String? = try db.value("SELECT started_rows FROM host WHERE id = ?", host)
        return (text ?? "").split(separator: " ").compactMap { Int64($0) }
    }
}
