// Results in the file: every statement that touches the table `result`.
import TaskModel

enum ResultRows {
    struct Stored: Sendable {
        var seq: Int64
        var meta: [UInt8]
    }

    /// A SUCCESS that is not yet expired stays as it is.
    static func store(
        _ taskID: String, state: String, meta: [UInt8], expiresAfterSeconds: Double?, now: WallTime, in db: Database
    ) throws {
        let stays = try db.first("SELECT state, expires_at FROM result WHERE task_id = ?", taskID) { known in
            let expires: Int64? = known.read("expires_at")
            return known.read("state") == TaskState.success.rawValue && expires ?? .max > now.microseconds
        }
        if stays == true { return }
        // REPLACE gives the row a new, higher number: that is what followers look for.
        try db.run(
            "INSERT OR REPLACE INTO result(task_id, state, meta, expires_at) VALUES (?, ?, ?, ?)",
            taskID, state, meta, expiresAfterSeconds.map { now.advanced(bySeconds: $0).microseconds })
    }

    static func fetch(_ taskID: String, now: WallTime, in db: Database) throws -> Stored? {
        try db.first(
            "SELECT seq, meta FROM result WHERE task_id = ? AND (expires_at IS NULL OR expires_at > ?)", taskID,
            now.microseconds
        ) { row in
            // One that cannot be read is none: the caller gets nil, and a new result takes its place.
            guard let seq: Int64 = row.read("seq"), let meta: [UInt8] = row.read("meta") else { return nil }
            return Stored(seq: seq, meta: meta)
        }
    }

    static func forget(_ taskID: String, in db: Database) throws {
        try db.run("DELETE FROM result WHERE task_id = ?", taskID)
    }

    /// Who changed after `seq`, in order.
    static func changes(after seq: Int64, in db: Database) throws -> [(seq: Int64, taskID: String)] {
        try db.rows("SELECT seq, task_id FROM result WHERE seq > ? ORDER BY seq", seq) { row in
            guard let seq: Int64 = row.read("seq") else { return nil }
            return (seq, row.read("task_id") ?? "")
        }
    }

    static func lastSeq(in db: Database) throws -> Int64 {
        try db.value("SELECT max(seq) FROM result") ?? 0
    }

    /// Removes some of what has expired.
    static func sweep(now: WallTime, limit: Int, in db: Database) throws {
        try db.run(
            "DELETE FROM result WHERE seq IN (SELECT seq FROM result WHERE expires_at <= ? LIMIT ?)", now.microseconds,
            limit)
    }
}
