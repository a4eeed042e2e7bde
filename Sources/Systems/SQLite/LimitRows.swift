// Limits in the file: every statement that touches the tables `limit_place`, `limit_turn` and `limit_start`.
import Ports
import TaskModel

/// The tables are made when they are first wanted.
struct LimitRows {
    private let db: Database
    private let now = BootTime.now

    private static func tables(_ strict: String) -> String {
        """
        CREATE TABLE IF NOT EXISTS limit_place(
            name TEXT NOT NULL, holder TEXT NOT NULL,
            until INTEGER NOT NULL,                 -- of its lease; all times are microseconds since boot
            pid INTEGER NOT NULL, started INTEGER NOT NULL, boot TEXT NOT NULL, pid_namespace TEXT NOT NULL,
            PRIMARY KEY(name, holder)) WITHOUT ROWID\(strict);
        -- Who waits for a place, since when, and until when that is remembered.
        CREATE TABLE IF NOT EXISTS limit_turn(
            name TEXT NOT NULL, holder TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
            PRIMARY KEY(name, holder)) WITHOUT ROWID\(strict);
        CREATE TABLE IF NOT EXISTS limit_start(name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID\(strict);
        """
    }

    init(_ db: Database) throws {
        self.db = db
        let strict = try Schema.strict(db)
        try db.script(Self.tables(strict.isEmpty ? "" : ", \(strict)"))
    }

    func acquire(_ claim: PermitRequest, leaseSeconds: Double, by host: HostIdentity) throws -> LimitAnswer {
        if let most = claim.max {
            if try db.value(
                "SELECT 1 FROM limit_place WHERE name = ? AND holder = ? AND until > ?", claim.name, claim.holder,
                now.microseconds) ?? false
            {
                try lend(claim, seconds: leaseSeconds, to: host)
                return .granted
            }
            guard try hasRoom(for: claim, most, leaseSeconds, host) else {
                try wait(claim)
                return .full
            }
        }
        if let rate = claim.perSecond, let seconds = try due(claim.name, every: 1 / rate) {
            return .due(inSeconds: seconds)
        }
        if claim.max != nil {
            try db.run("DELETE FROM limit_turn WHERE name = ? AND holder = ?", claim.name, claim.holder)
            try lend(claim, seconds: leaseSeconds, to: host)
        }
        return .granted
    }

    func lend(_ claim: PermitRequest, seconds: Double, to host: HostIdentity) throws {
        try db.run(
            """
            INSERT INTO limit_place(name, holder, until, pid, started, boot, pid_namespace) VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT(name, holder) DO UPDATE SET until = excluded.until
            """,
            claim.name, claim.holder, now.advanced(bySeconds: seconds).microseconds, host.pid, host.started,
            host.boot, host.namespace)
    }

    func release(_ claim: PermitRequest) throws {
        try db.run("DELETE FROM limit_place WHERE name = ? AND holder = ?", claim.name, claim.holder)
        try db.run("DELETE FROM limit_turn WHERE name = ? AND holder = ?", claim.name, claim.holder)
    }

    // ---- places ----

    private func hasRoom(
        for claim: PermitRequest, _ most: Int, _ leaseSeconds: Double, _ host: HostIdentity
    ) throws -> Bool {
        // A time later than any can be was made by another clock.
        try db.run(
            "DELETE FROM limit_place WHERE name = ? AND (until <= ? OR until > ?)",
            claim.name, now.microseconds, now.advanced(bySeconds: 10 * leaseSeconds).microseconds)
        try db.run(
            "DELETE FROM limit_turn WHERE name = ? AND (until <= ? OR until > ?)",
            claim.name, now.microseconds, now.advanced(bySeconds: 10 * LimitTurns.forgottenSeconds).microseconds)
        let before = try before(claim)
        if try taken(claim.name) + before < most { return true }
        try shortenLeases(of: claim.name, host)
        return false
    }

    private func taken(_ name: String) throws -> Int {
        try db.value("SELECT count(*) FROM limit_place WHERE name = ?", name) ?? 0
    }

    /// Places of processes that are gone need not wait for the end of their lease; only for that of their children.
    private func shortenLeases(of name: String, _ host: HostIdentity) throws {
        let soon = now.advanced(bySeconds: 1).microseconds
        let holders = try db.rows(
            "SELECT DISTINCT pid, started, boot, pid_namespace FROM limit_place WHERE name = ?", name
        ) { $0.identity }
        for holder in holders where holder != host && holder.fate(seenBy: host) == .dead {
            try db.run(
                "UPDATE limit_place SET until = min(until, ?) WHERE name = ? AND pid = ? AND started = ? AND boot = ?",
                soon, name, holder.pid, holder.started, holder.boot)
        }
    }

    // ---- turns ----

    /// Those that have waited for long, and longer.
    private func before(_ claim: PermitRequest) throws -> Int {
        let since: Int64? = try db.value(
            "SELECT since FROM limit_turn WHERE name = ? AND holder = ?", claim.name, claim.holder)
        let patient = now.advanced(bySeconds: -LimitTurns.patienceSeconds).microseconds
        return try db.value(
            "SELECT count(*) FROM limit_turn WHERE name = ? AND since < ?", claim.name,
            min(since ?? now.microseconds, patient)) ?? 0
    }

    private func wait(_ claim: PermitRequest) throws {
        try db.run(
            """
            INSERT INTO limit_turn(name, holder, since, until) VALUES (?, ?, ?, ?)
            ON CONFLICT(name, holder) DO UPDATE SET until = excluded.until
            """,
            claim.name, claim.holder, now.microseconds,
            now.advanced(bySeconds: LimitTurns.forgottenSeconds).microseconds)
    }

    // ---- starts ----

    /// nil: now, and the next one then.
    private func due(_ name: String, every seconds: Double) throws -> Double? {
        if let next: Int64 = try db.value("SELECT next FROM limit_start WHERE name = ?", name) {
            let left = BootTime(microseconds: next).seconds(since: now)
            // Later than that: made at another rate, or by another clock.
            if left > 0, left <= seconds + 0.001 { return left }
        }
        // Names by key have no end.
        try db.run(
            "DELETE FROM limit_start WHERE next <= ?", now.advanced(bySeconds: -60).microseconds)
        try db.run(
            "INSERT INTO limit_start(name, next) VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET next = excluded.next",
            name, now.advanced(bySeconds: seconds).microseconds)
        return nil
    }
}
