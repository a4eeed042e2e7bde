// Hosts in the file: who holds messages, until when, and who is gone.
import GRDB
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
    static func register(_ identity: HostIdentity, until: WallTime, in db: Database) throws -> Int64 {
        try db.execute(
            sql: "INSERT INTO host(pid, started, boot, pid_namespace, lease_until) VALUES (?, ?, ?, ?, ?)",
            arguments: [
                identity.pid, identity.started, identity.boot, identity.namespace, until.microseconds,
            ])
        return db.lastInsertedRowID
    }

    /// False when the lease is lost.
    static func renew(_ host: Int64, until: WallTime, in db: Database) throws -> Bool {
        try db.cachedStatement(sql: "UPDATE host SET lease_until = ? WHERE id = ?")
            .execute(arguments: [until.microseconds, host])
        return db.changesCount == 1
    }

    static func exists(_ host: Int64, in db: Database) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT EXISTS(SELECT 1 FROM host WHERE id = ?)"), arguments: [host]) ?? false
    }

    static func remove(_ host: Int64, in db: Database) throws {
        try db.execute(sql: "DELETE FROM host WHERE id = ?", arguments: [host])
    }

    /// Hosts whose messages are free to take: their process is gone, or they have been silent for too long.
    static func lost(
        seenBy observer: HostIdentity, except own: Int64?, now: WallTime, allowance: Double, in db: Database
    ) throws -> [Int64] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT id, pid, started, boot, pid_namespace, lease_until,
                    EXISTS(SELECT 1 FROM message WHERE state = 2 AND host = host.id) AS holds
                FROM host WHERE id IS NOT ?
                """)
        return try Row.fetchAll(statement, arguments: [own]).compactMap { row in
            let identity = HostIdentity(
                pid: row["pid"], started: row["started"], boot: row["boot"], namespace: row["pid_namespace"])
            let fate = identity.fate(seenBy: observer)
            let until = WallTime(microseconds: row["lease_until"])
            let isSilent = until.advanced(bySeconds: allowance) < now
            // A living host that holds nothing renews nothing; its row harms nobody.
            let isLost = fate == .dead || (isSilent && (row["holds"] || fate == .unknown))
            return isLost ? row["id"] : nil
        }
    }

    /// Takes away what the hosts hold, if they are still lost now that we have the lock. The number of messages freed.
    static func reclaim(
        _ candidates: [Int64], observer: HostIdentity, own: Int64?, now: WallTime, allowance: Double, in db: Database
    ) throws -> Int {
        guard !candidates.isEmpty else { return 0 }
        var freed = 0
        for host in try lost(seenBy: observer, except: own, now: now, allowance: allowance, in: db) {
            freed += try MessageRows.requeueAll(heldBy: host, in: db)
            try remove(host, in: db)
        }
        return freed
    }
}
