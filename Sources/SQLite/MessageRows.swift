// Messages in the file: every statement that touches the table `message`.
import Foundation
import GRDB
import TaskModel

/// Where a message stands, as the column `state` says.
enum MessageStateColumn {
    static let ready = 0
    static let delayed = 1
    static let held = 2
    static let dead = 3
}

/// A message about to be written, encoded on the caller's side so that the file's thread only writes.
struct NewMessage: Sendable {
    var queue: String
    var isDead: Bool
    var delaySeconds: Double
    var priority: Int
    var name: String?
    var properties: String
    var headers: String
    var body: Data

    init(queue: String, isDead: Bool = false, delaySeconds: Double = 0, message: WireMessage) {
        self.queue = queue
        self.isDead = isDead
        self.delaySeconds = delaySeconds
        priority = Int(message.properties.priority ?? 0)
        name = isDead ? message.headers["id"]?.text : nil
        properties = FieldJSON.text(message.properties)
        headers = FieldJSON.text(message.headers)
        body = Data(message.body)
    }
}

/// A message as it lies in the file, still encoded.
struct StoredMessage: Sendable {
    var id: Int64
    var queue: String
    var deliveries: Int
    var name: String?
    var properties: String
    var headers: String
    var body: Data

    init(_ row: Row) {
        id = row["id"]
        queue = row["queue"]
        deliveries = row["deliveries"]
        name = row["name"]
        properties = row["properties"]
        headers = row["headers"]
        body = row["body"]
    }

    /// A row that cannot be read (somebody wrote into the file) still is delivered, marked so that it is refused.
    func message() -> WireMessage {
        do {
            return WireMessage(
                properties: try FieldJSON.properties(properties), headers: try FieldJSON.table(headers),
                body: [UInt8](body))
        } catch {
            return WireMessage(headers: ["taskhost-wire-error": .string(error.detail)], body: [UInt8](body))
        }
    }
}

enum MessageRows {
    static let columns = "id, queue, deliveries, name, properties, headers, body"

    static func insert(_ message: NewMessage, now: WallTime, in db: Database) throws {
        let visible = now.advanced(bySeconds: max(0, message.delaySeconds)).microseconds
        let state =
            message.isDead
            ? MessageStateColumn.dead
            : visible > now.microseconds ? MessageStateColumn.delayed : MessageStateColumn.ready
        try db.cachedStatement(
            sql: """
                INSERT INTO message(queue, state, priority, visible_at, name, properties, headers, body)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            message.queue, state, message.priority, visible, message.name, message.properties, message.headers,
            message.body,
        ])
    }

    /// Delayed messages whose time has come join the ready ones.
    static func promoteDue(now: WallTime, in db: Database) throws {
        try db.cachedStatement(sql: "UPDATE message SET state = 0 WHERE state = 1 AND visible_at <= ?")
            .execute(arguments: [now.microseconds])
    }

    /// When the next delayed message is due, in microseconds since 1970.
    static func nextDue(in db: Database) throws -> Int64? {
        try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT visible_at FROM message WHERE state = 1 ORDER BY visible_at LIMIT 1"))
    }

    static func hasReady(_ queue: String, in db: Database) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT EXISTS(SELECT 1 FROM message WHERE state = 0 AND queue = ?)"),
            arguments: [queue]) ?? false
    }

    /// Hands out up to `limit` messages to a host: the most urgent first, then the oldest.
    static func take(_ limit: Int, from queue: String, host: Int64, in db: Database) throws -> [StoredMessage] {
        let select = try db.cachedStatement(
            sql: """
                SELECT \(columns) FROM message WHERE state = 0 AND queue = ? ORDER BY priority DESC, id LIMIT ?
                """)
        let messages = try Row.fetchAll(select, arguments: [queue, limit]).map(StoredMessage.init)
        let hold = try db.cachedStatement(
            sql: "UPDATE message SET state = 2, host = ?, deliveries = deliveries + 1 WHERE id = ?")
        for message in messages { try hold.execute(arguments: [host, message.id]) }
        return messages
    }

    /// False when the host holds it no more.
    static func remove(_ id: Int64, heldBy host: Int64, in db: Database) throws -> Bool {
        try db.cachedStatement(sql: "DELETE FROM message WHERE id = ? AND host = ? AND state = 2")
            .execute(arguments: [id, host])
        return db.changesCount == 1
    }

    /// Back to its place in the queue. False when the host holds it no more.
    static func requeue(_ id: Int64, heldBy host: Int64, in db: Database) throws -> Bool {
        try db.cachedStatement(sql: "UPDATE message SET state = 0, host = NULL WHERE id = ? AND host = ? AND state = 2")
            .execute(arguments: [id, host])
        return db.changesCount == 1
    }

    static func requeueAll(heldBy host: Int64, in db: Database) throws -> Int {
        try db.cachedStatement(sql: "UPDATE message SET state = 0, host = NULL WHERE host = ? AND state = 2")
            .execute(arguments: [host])
        return db.changesCount
    }

    static func waiting(_ queue: String, in db: Database) throws -> Int {
        try Int.fetchOne(
            db, sql: "SELECT count(*) FROM message WHERE queue = ? AND state IN (0, 1)", arguments: [queue]) ?? 0
    }

    static func ready(_ queue: String, in db: Database) throws -> Int {
        try Int.fetchOne(db, sql: "SELECT count(*) FROM message WHERE queue = ? AND state = 0", arguments: [queue]) ?? 0
    }

    static func purge(_ queue: String, in db: Database) throws -> Int {
        try db.execute(sql: "DELETE FROM message WHERE queue = ? AND state IN (0, 1)", arguments: [queue])
        return db.changesCount
    }

    static func dead(of queue: String, limit: Int, in db: Database) throws -> [StoredMessage] {
        try Row.fetchAll(
            db, sql: "SELECT \(columns) FROM message WHERE state = 3 AND queue = ? ORDER BY id LIMIT ?",
            arguments: [queue, limit]
        ).map(StoredMessage.init)
    }

    static func delete(_ id: Int64, in db: Database) throws {
        try db.cachedStatement(sql: "DELETE FROM message WHERE id = ?").execute(arguments: [id])
    }
}
