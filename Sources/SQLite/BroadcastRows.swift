// Broadcasts and replies in the file: every statement that touches the table `broadcast`.
import Foundation
import GRDB
import TaskModel

enum BroadcastRows {
    /// Seconds after which nobody is expected to look for it any more.
    static let keptSeconds = 60.0

    struct Heard: Sendable {
        var id: Int64
        var message: WireMessage
    }

    static func insert(
        channel: String, properties: String, headers: String, body: Data, now: WallTime, in db: Database
    ) throws {
        try db.cachedStatement(sql: "DELETE FROM broadcast WHERE expires_at <= ?").execute(arguments: [now.microseconds]
        )
        try db.cachedStatement(
            sql: "INSERT INTO broadcast(channel, properties, headers, body, expires_at) VALUES (?, ?, ?, ?, ?)"
        ).execute(arguments: [
            channel, properties, headers, body, now.advanced(bySeconds: keptSeconds).microseconds,
        ])
    }

    /// The last one there ever was.
    static func lastID(in db: Database) throws -> Int64 {
        try Int64.fetchOne(db.cachedStatement(sql: "SELECT seq FROM sqlite_sequence WHERE name = 'broadcast'")) ?? 0
    }

    static func after(_ id: Int64, channels: [String], in db: Database) throws -> [Heard] {
        try Row.fetchAll(
            db.cachedStatement(
                sql:
                    "SELECT id, properties, headers, body FROM broadcast WHERE id > ? AND channel IN (?, ?) ORDER BY id"
            ),
            arguments: [id, channels.first, channels.last]
        ).map { row in Heard(id: row["id"], message: message(row)) }
    }

    /// A row that cannot be read (somebody wrote into the file) must not hide those after it.
    private static func message(_ row: Row) -> WireMessage {
        let body = [UInt8](row["body"] as Data)
        do throws(SQLiteFailure) {
            return WireMessage(
                properties: try FieldJSON.properties(row["properties"]), headers: try FieldJSON.table(row["headers"]),
                body: body)
        } catch {
            return WireMessage(headers: ["taskhost-wire-error": .string(error.detail)], body: body)
        }
    }
}
