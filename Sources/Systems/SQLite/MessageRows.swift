// Messages in the file: every statement that touches the table `message`.
import SQLRows
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
    var body: [UInt8]

    init(queue: String, isDead: Bool = false, delaySeconds: Double = 0, message: WireMessage) {
        self.queue = queue
        self.isDead = isDead
        self.delaySeconds = delaySeconds
        priority = Int(message.properties.priority ?? 0)
        name = isDead ? message.headers["id"]?.text : nil
        properties = FieldJSON.text(message.properties)
        headers = FieldJSON.text(message.headers)
        body = message.body
    }
}

/// A message as it lies in the file, still encoded.
struct StoredMessage: Sendable {
    var id: Int64
    var queue: String
    var deliveries: Int
    /// Starts that ended with their host.
    var lostStarts: Int
    var name: String?
    private var properties: TextBytes?
    private var headers: TextBytes?
    private var body: [UInt8]?
    /// Bytes of its body and its headers.
    var size: Int { (body?.count ?? 0) + (headers?.bytes.count ?? 0) }
    /// A column that holds something else than it should.
    private var oddColumn: StaticString?

    /// - Parameters:
    ///   - row: begins with `MessageRows.columns`.
    ///   - queue: it was looked for in.
    init(_ row: Row, in queue: String) {
        id = row.read(0) ?? 0
        self.queue = queue
        // One that cannot be read must not pass for a message that was never delivered.
        let counted: Int? = row.read(1)
        deliveries = counted ?? 1
        lostStarts = row.read(2) ?? 0
        name = row.read(3)
        properties = row.read(4)
        headers = row.read(5)
        body = row.read(6)
        if counted == nil {
            oddColumn = "deliveries"
        } else if properties == nil {
            oddColumn = "properties"
        } else if headers == nil {
            oddColumn = "headers"
        } else if body == nil {
            oddColumn = "body"
        }
    }

    /// A row that cannot be read (somebody wrote into the file) still is delivered, marked so that it is refused.
    func message() -> WireMessage {
        guard oddColumn == nil, let properties, let headers, let body else {
            let column = oddColumn?.description ?? "?"
            let reason = "the column \(column) of row \(id) in the table message holds no such value"
            return WireMessage(headers: [OwnHeaders.adapterError: .string(reason)], body: body ?? [])
        }
        return FieldJSON.message(properties: properties.bytes, headers: headers.bytes, body: body)
    }
}

enum MessageRows {
    static let columns = "id, deliveries, lost_starts, name, properties, headers, body"

    static func insert(_ message: NewMessage, now: WallTime, in db: Database) throws {
        let visible = now.advanced(bySeconds: max(0, message.delaySeconds)).microseconds
        let state =
            message.isDead
            ? MessageStateColumn.dead
            : visible > now.microseconds ? MessageStateColumn.delayed : MessageStateColumn.ready
        try db.run(
            """
            INSERT INTO message(queue, state, priority, visible_at, name, properties, headers, body)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            message.queue, state, message.priority, visible, message.name, message.properties, message.headers,
            message.body)
    }

    /// Delayed messages whose time has come join the ready ones; so do those whose time is none.
    static func promoteDue(now: WallTime, in db: Database) throws {
        try db.run("UPDATE message SET state = 0 WHERE state = 1 AND visible_at <= ?", now.microseconds)
        // Texts and bytes come after all numbers.
        try db.run("UPDATE message SET state = 0 WHERE state = 1 AND visible_at > ?", Int64.max)
    }

    /// When the next delayed message is due, in microseconds since 1970.
    static func nextDue(in db: Database) throws -> Int64? {
        try db.value(
            """
            SELECT iif(typeof(visible_at) = 'integer', visible_at, 0) FROM message
            WHERE state = 1 ORDER BY visible_at LIMIT 1
            """)
    }

    static func hasReady(_ queue: String, in db: Database) throws -> Bool {
        try db.value("SELECT EXISTS(SELECT 1 FROM message WHERE state = 0 AND queue = ?)", queue) ?? false
    }

    /// No more at a time once they have so many bytes: a backlog of large ones comes one at a time.
    static let fetchBytes = 4 << 20

    /// Hands out up to `limit` messages to a host: the most urgent first, then the oldest. Fewer when they are large
    /// (`fetchBytes`).
    static func take(_ limit: Int, from queue: String, host: Int64, in db: Database) throws -> [StoredMessage] {
        var messages: [StoredMessage] = []
        var bytes = 0
        try db.statement(
            "SELECT \(columns) FROM message WHERE state = 0 AND queue = ? ORDER BY priority DESC, id LIMIT ?"
        ).forEach(queue, limit) { row in
            messages.append(StoredMessage(row, in: queue))
            bytes += messages[messages.count - 1].size
            return bytes < fetchBytes
        }
        let hold = try db.statement(
            "UPDATE message SET state = 2, host = ?, deliveries = deliveries + 1 WHERE id = ?")
        for message in messages { try hold.run(host, message.id) }
        return messages
    }

    /// False when the host holds one of them no more; the others are removed.
    static func remove(_ ids: [Int64], heldBy host: Int64, in db: Database) throws -> Bool {
        guard !ids.isEmpty else { return true }
        let delete = try db.statement("DELETE FROM message WHERE id = ? AND host = ? AND state = 2")
        var removed = 0
        for id in ids {
            try delete.run(id, host)
            removed += db.changesCount
        }
        return removed == ids.count
    }

    /// Back to its place in the queue. False when the host holds it no more.
    static func requeue(_ id: Int64, heldBy host: Int64, in db: Database) throws -> Bool {
        try db.run("UPDATE message SET state = 0, host = NULL WHERE id = ? AND host = ? AND state = 2", id, host)
        return db.changesCount == 1
    }

    static func requeueAll(heldBy host: Int64, in db: Database) throws -> Int {
        try db.run("UPDATE message SET state = 0, host = NULL WHERE host = ? AND state = 2", host)
        return db.changesCount
    }

    /// Of what a lost host held, these had started: one more start without an end.
    static func loseStarts(_ rows: [Int64], heldBy host: Int64, in db: Database) throws {
        let statement = try db.statement(
            "UPDATE message SET lost_starts = lost_starts + 1 WHERE id = ? AND host = ? AND state = 2")
        for row in rows { try statement.run(row, host) }
    }

    static func isHeld(_ id: Int64, by host: Int64, in db: Database) throws -> Bool {
        try db.value("SELECT EXISTS(SELECT 1 FROM message WHERE id = ? AND host = ? AND state = 2)", id, host) ?? false
    }

    static func waiting(_ queue: String, in db: Database) throws -> Int {
        try db.value("SELECT count(*) FROM message WHERE queue = ? AND state IN (0, 1)", queue) ?? 0
    }

    static func ready(_ queue: String, in db: Database) throws -> Int {
        try db.value("SELECT count(*) FROM message WHERE queue = ? AND state = 0", queue) ?? 0
    }

    static func purge(_ queue: String, in db: Database) throws -> Int {
        try db.run("DELETE FROM message WHERE queue = ? AND state IN (0, 1)", queue)
        return db.changesCount
    }

    static func dead(of queue: String, limit: Int, in db: Database) throws -> [StoredMessage] {
        try db.rows(
            "SELECT \(columns) FROM message WHERE state = 3 AND queue = ? ORDER BY id LIMIT ?", queue, limit
        ) { StoredMessage($0, in: queue) }
    }

    static func delete(_ id: Int64, in db: Database) throws {
        try db.run("DELETE FROM message WHERE id = ?", id)
    }
}
