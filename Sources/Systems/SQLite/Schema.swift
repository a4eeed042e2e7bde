// The tables, and how an older file becomes a present one.

/// The file's layout. Its version is in `user_version`; `application_id` tells our files from other programs'.
enum Schema {
    /// "thst"
    static let applicationID: Int32 = 0x7468_7374

    /// Each step lifts the file by one version. Steps that were released are never changed, only added to.
    static let steps: [String] = [
        """
        CREATE TABLE host(
            id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used twice: the fence of what it holds
            pid INTEGER NOT NULL,
            started INTEGER NOT NULL,               -- clock ticks since boot, as /proc/PID/stat has it
            boot TEXT NOT NULL,
            pid_namespace TEXT NOT NULL,
            lease_until INTEGER NOT NULL);          -- microseconds since 1970

        CREATE TABLE message(
            id INTEGER PRIMARY KEY,                 -- grows: the order of arrival
            queue TEXT NOT NULL,
            state INTEGER NOT NULL,                 -- 0 ready, 1 delayed, 2 held, 3 dead
            priority INTEGER NOT NULL,
            visible_at INTEGER NOT NULL,            -- microseconds since 1970
            host INTEGER,                           -- who holds it
            deliveries INTEGER NOT NULL DEFAULT 0,
            name TEXT,                              -- dead letters: the task id
            properties TEXT NOT NULL,               -- JSON, see FieldJSON
            headers TEXT NOT NULL,
            body BLOB NOT NULL);
        CREATE INDEX message_ready ON message(queue, priority DESC, id) WHERE state = 0;
        CREATE INDEX message_delayed ON message(visible_at) WHERE state = 1;
        CREATE INDEX message_held ON message(host) WHERE state = 2;
        CREATE INDEX message_dead ON message(queue, id) WHERE state = 3;

        CREATE TABLE result(
            seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- a new one for each change: what followers look for
            task_id TEXT NOT NULL UNIQUE,
            state TEXT NOT NULL,
            meta BLOB NOT NULL,
            expires_at INTEGER);                    -- microseconds since 1970
        CREATE INDEX result_expires ON result(expires_at) WHERE expires_at IS NOT NULL;
        """,
        """
        CREATE TABLE chord(
            group_id TEXT PRIMARY KEY,
            size INTEGER,                           -- members of the header; not known before it is announced
            extra INTEGER NOT NULL DEFAULT 0,       -- added while it runs
            saved_group BLOB,                       -- JSON group tuple, only for groups within groups
            is_over INTEGER NOT NULL DEFAULT 0,     -- 1: its body is published, or failed
            token TEXT,                             -- who publishes the body
            token_until INTEGER,                    -- microseconds since 1970
            expires_at INTEGER NOT NULL);           -- microseconds since 1970
        CREATE INDEX chord_expires ON chord(expires_at);

        CREATE TABLE chord_part(
            id INTEGER PRIMARY KEY,                 -- grows: the order of arrival
            group_id TEXT NOT NULL,
            name TEXT NOT NULL,                     -- task id and place: what counts once
            place INTEGER,
            document BLOB NOT NULL,
            UNIQUE(group_id, name));

        CREATE TABLE broadcast(
            id INTEGER PRIMARY KEY AUTOINCREMENT,   -- grows: what listeners look for
            channel TEXT NOT NULL,
            properties TEXT NOT NULL,               -- JSON, see FieldJSON
            headers TEXT NOT NULL,
            body BLOB NOT NULL,
            expires_at INTEGER NOT NULL);           -- microseconds since 1970
        """,
        """
        ALTER TABLE message ADD COLUMN lost_starts INTEGER NOT NULL DEFAULT 0;  -- starts that ended with their host
        ALTER TABLE host ADD COLUMN alive_until INTEGER;                        -- microseconds since boot
        ALTER TABLE host ADD COLUMN started_rows TEXT NOT NULL DEFAULT '';      -- of what it holds what has started
        CREATE TABLE start(
            name TEXT PRIMARY KEY,
            count INTEGER NOT NULL,                 -- starts that nobody has settled
            expires_at INTEGER NOT NULL);           -- microseconds since 1970
        CREATE INDEX start_expires ON start(expires_at);
        """,
    ]

    static var version: Int { steps.count }

    /// Before anything in the file is changed: whose is it?
    static func refuseOthers(_ db: Database, path: String) throws { _ = try looksOlder(db, path: path) }

    /// Makes the file a present one, or says why it cannot be.
    static func prepare(_ db: Database, path: String) throws {
        guard try looksOlder(db, path: path) else { return }
        try db.transaction(.immediate) {
            // Another process may have been quicker while we waited for the lock.
            guard try isOlder(db, path: path) else { return }
            let found = try version(of: db)
            for step in found..<version { try db.script(steps[step]) }
            if found == 0 { try makeStrict(db) }
            try db.script("PRAGMA application_id = \(applicationID)")
            try db.script("PRAGMA user_version = \(version)")
        }
    }

    /// What follows a table's columns, for tables that take nothing of another type; SQLite knows it from 3.37 on.
    static func strict(_ db: Database) throws -> String {
        let parts = (try db.value("SELECT sqlite_version()") ?? "").split(separator: ".")
            .map { Int($0) ?? 0 }
        return parts.lexicographicallyPrecedes([3, 37]) ? "" : "STRICT"
    }

    /// The tables of a new file, which are empty, are made once more.
    private static func makeStrict(_ db: Database) throws {
        let strict = try strict(db)
        guard !strict.isEmpty else { return }
        func statements(_ type: String) throws -> [(name: String, sql: String)] {
            try db.rows(
                "SELECT name, sql FROM sqlite_master WHERE type = ? AND sql IS NOT NULL AND name NOT LIKE 'sqlite_%'",
                type
            ) { row in
                guard let name: String = row.read("name"), let sql: String = row.read("sql") else { return nil }
                return (name, sql)
            }
        }
        let indices = try statements("index")
        for table in try statements("table") {
            try db.script("DROP TABLE \(table.name)")
            try db.script("\(table.sql) \(strict)")
        }
        for index in indices { try db.script(index.sql) }
    }

    /// In one transaction: between two looks another process may make the file a present one.
    private static func looksOlder(_ db: Database, path: String) throws -> Bool {
        var isOld = false
        try db.transaction(.deferred) { isOld = try isOlder(db, path: path) }
        return isOld
    }

    private static func isOlder(_ db: Database, path: String) throws -> Bool {
        let found = try version(of: db)
        let owner = try db.value("PRAGMA application_id") ?? 0
        if owner == 0, found == 0, try db.value("SELECT count(*) FROM sqlite_master") == 0 { return true }
        guard owner == applicationID else {
            throw SQLiteFailure(
                .permanent, "\(path) is a database of another program", fix: "Name another file, or move this one away")
        }
        guard found <= version else {
            throw SQLiteFailure(
                .permanent, "\(path) has layout \(found), this taskhost knows up to \(version)",
                fix: "Use the newer taskhost that wrote it, or name another file")
        }
        return found < version
    }

    private static func version(of db: Database) throws -> Int {
        try db.value("PRAGMA user_version") ?? 0
    }
}
