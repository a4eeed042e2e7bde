// Results in the file: every statement that touches the table `result`.
import Foundation
import GRDB
import TaskModel

enum ResultRows {
    struct Stored: Sendable {
        var seq: Int64
        var meta: [UInt8]
    }

    /// A SUCCESS that is not yet expired stays as it is.
    static func store(
        _ taskID: String, state: String, meta: Data, expiresAfterSeconds: Double?, now: WallTime, in db: Database
    ) throws {
        let known = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT state, expires_at FROM result WHERE task_id = ?"), arguments: [taskID])
        if let known {
            let expires: Int64? = known["expires_at"]
            if known["state"] == TaskState.success.rawValue, expires ?? .max > now.microseconds { return }
        }
        // REPLACE gives the row a new, higher number: that is what followers look for.
        try db.cachedStatement(
            sql: "INSERT OR REPLACE INTO result(task_id, state, meta, expires_at) VALUES (?, ?, ?, ?)"
        ).execute(arguments: [
            taskID, state, meta, expiresAfterSeconds.map { now.advanced(bySeconds: $0).microseconds },
        ])
    }

    static func fetch(_ taskID: String, now: WallTime, in db: Database) throws -> Stored? {
        let statement = try db.cachedStatement(
            sql: "SELECT seq, meta FROM result WHERE task_id = ? AND (expires_at IS NULL OR expires_at > ?)")
        return try Row.fetchOne(statement, arguments: [taskID, now.microseconds]).map { row in
            Stored(seq: row["seq"], meta: [UInt8](row["meta"] as Data))
        }
    }

    static func forget(_ taskID: String, in db: Database) throws {
        try db.cachedStatement(sql: "DELETE FROM result WHERE task_id = ?").execute(arguments: [taskID])
    }

    /// Who changed after `seq`, in order.
    static func changes(after seq: Int64, in db: Database) throws -> [(seq: Int64, taskID: String)] {
        try Row.fetchAll(
            db.cachedStatement(sql: "SELECT seq, task_id FROM result WHERE seq > ? ORDER BY seq"), arguments: [seq]
        ).map { ($0["seq"], $0["task_id"]) }
    }

    static func lastSeq(in db: Database) throws -> Int64 {
        try Int64.fetchOne(db.cachedStatement(sql: "SELECT max(seq) FROM result")) ?? 0
    }

    /// Removes some of what nobody may ask for any more.
    static func sweep(now: WallTime, limit: Int, in db: Database) throws {
        try db.cachedStatement(
            sql: "DELETE FROM result WHERE seq IN (SELECT seq FROM result WHERE expires_at <= ? LIMIT ?)"
        ).execute(arguments: [now.microseconds, limit])
    }
}
