// Broadcasts and replies in the file: every statement that touches the table `broadcast`.
import SQLRows
import TaskModel

enum BroadcastRows {
    /// Seconds after which no process is expected to look for it any more.
    static let keptSeconds = 60.0

    struct Heard: Sendable {
        var id: Int64
        var message: WireMessage
    }

    static func insert(
        channel: String, properties: String, headers: String, body: [UInt8], now: WallTime, in db: Database
    ) throws {
        try db.run("DELETE FROM broadcast WHERE expires_at <= ?", now.microseconds)
        try db.run(
            "INSERT INTO broadcast(channel, properties, headers, body, expires_at) VALUES (?, ?, ?, ?, ?)",
            channel, properties, headers, body, now.advanced(bySeconds: keptSeconds).microseconds)
    }

    /// The last one there ever was.
    static func lastID(in db: Database) throws -> Int64 {
        try db.value("SELECT seq FROM sqlite_sequence WHERE name = 'broadcast'") ?? 0
    }

    static func after(_ id: Int64, channels: [String], in db: Database) throws -> [Heard] {
        try db.rows(
            "SELECT id, properties, headers, body FROM broadcast WHERE id > ? AND channel IN (?, ?) ORDER BY id", id,
            channels.first, channels.last
        ) { row in
            row.read("id").map {
                let (properties, headers): (String, String) = (row.read("properties") ?? "", row.read("headers") ?? "")
                return Heard(
                    id: $0,
                    message: FieldJSON.message(
                        properties: properties, headers: headers, body: row.read("body") ?? []))
            }
        }
    }
}
