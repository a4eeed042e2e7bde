// Celery's tables in MySQL and MariaDB: made where they are missing, as its own backend makes them (celery-protocol.md §4.7),
// but with room for long results.
import Ports
import SQLRows

/// Sets a new connection up, looks at the tables over it, and makes what is not there. Whoever makes them at the same time
/// (other hosts, Celery) is no fault.
final class MySQLSchema {
    let tables: ResultTables
    /// Of the table of tasks.
    private(set) var columns = MySQLColumns()
    /// Of one statement, as the server takes it.
    private(set) var maxBytes = 1 << 20
    private(set) var version = ""

    init(_ tables: ResultTables) { self.tables = tables }

    /// MariaDB numbers rows as Celery does there, by a sequence; MySQL has none.
    private var hasSequences: Bool { version.contains("MariaDB") }

    /// What each statement here rests on: too long a value is an error, never cut off; backslashes escape; each statement is
    /// a transaction; a wait for a lock ends before the link takes the server for dead.
    static let session = """
        SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', autocommit = 1, innodb_lock_wait_timeout = 10
        """

    private typealias Done = (MySQLError?) -> Void

    /// - Parameter done: nil, or why the tables cannot be used.
    func prepare(_ link: MySQLLink, done: @escaping (MySQLError?) -> Void) {
        steps([Self.session], link) { [self] error in
            guard error == nil else { return done(error) }
            rows("SELECT VERSION(), @@max_allowed_packet", link, done) { [self] rows in
                version = rows.first.flatMap { Self.text($0[0]) } ?? ""
                maxBytes = rows.first.flatMap { Self.text($0[1]) }.flatMap { Int($0) } ?? maxBytes
                look(link, mayMake: true, done)
            }
        }
    }

    private func look(_ link: MySQLLink, mayMake: Bool, _ done: @escaping Done) {
        rows(Self.question(tables.group), link, done) { [self] group in
            rows(Self.question(tables.task), link, done) { [self] task in
                columns = MySQLColumns(task.compactMap(Self.column))
                guard mayMake else { return done(nil) }
                if group.isEmpty || task.isEmpty { return make(link, done) }
                complete(link, done)
            }
        }
    }

    static func question(_ table: TableName) -> String {
        var text = SQLText(
            """
            SELECT column_name, data_type, character_set_name, character_octet_length, extra
            FROM information_schema.columns WHERE table_schema =
            """)
        if let schema = table.schema { text.add(text: schema) } else { text.add(" DATABASE()") }
        text.add(" AND table_name = ")
        text.add(text: table.name)
        return String(decoding: text.bytes, as: UTF8.self)
    }

    static func column(_ cells: [[UInt8]?]) -> MySQLColumns.Column? {
        guard cells.count == 5, let name = text(cells[0]) else { return nil }
        return MySQLColumns.Column(
            name: name.lowercased(), type: (text(cells[1]) ?? "").lowercased(), characterSet: text(cells[2]),
            maxBytes: text(cells[3]).flatMap { Int($0) },
            isAutoIncrement: (text(cells[4]) ?? "").lowercased().contains("auto_increment"))
    }

    private static func text(_ cell: [UInt8]?) -> String? { cell.map { String(decoding: $0, as: UTF8.self) } }

    private func make(_ link: MySQLLink, _ done: @escaping Done) {
        let (task, group) = (tables.task.quoted("`"), tables.group.quoted("`"))
        let id = hasSequences ? "id INTEGER NOT NULL" : "id INTEGER NOT NULL AUTO_INCREMENT"
        let end = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
        var texts: [String] = []
        if hasSequences {
            texts = [tables.taskSequence, tables.groupSequence].map {
                "CREATE SEQUENCE IF NOT EXISTS \($0.quoted("`"))"
            }
        }
        texts += [
            """
            CREATE TABLE IF NOT EXISTS \(task) (\(id), task_id VARCHAR(155), status VARCHAR(50), result LONGBLOB,
            date_done DATETIME, traceback LONGTEXT, children LONGBLOB, name VARCHAR(155), args LONGBLOB, kwargs LONGBLOB,
            worker VARCHAR(155), retries INTEGER, queue VARCHAR(155), stamps LONGBLOB, PRIMARY KEY (id), UNIQUE (task_id),
            INDEX ix_celery_taskmeta_date_done (date_done)) \(end)
            """,
            """
            CREATE TABLE IF NOT EXISTS \(group) (\(id), taskset_id VARCHAR(155), result LONGBLOB, date_done DATETIME,
            PRIMARY KEY (id), UNIQUE (taskset_id), INDEX ix_celery_tasksetmeta_date_done (date_done)) \(end)
            """,
        ]
        steps(texts, link) { [self] error in
            if let error { done(error) } else { look(link, mayMake: false, done) }
        }
    }

    /// Columns of newer versions are added, as Celery does at its start; a user who may not do that does without them.
    private func complete(_ link: MySQLLink, _ done: @escaping Done) {
        let missing = MySQLColumns.nullable.filter { columns[$0.name] == nil }
        guard !missing.isEmpty else { return done(nil) }
        let parts = missing.map { "ADD COLUMN `\($0.name)` \($0.type)" }.joined(separator: ", ")
        steps(["ALTER TABLE \(tables.task.quoted("`")) \(parts)"], link) { [self] error in
            if let error, error.endsConnection { done(error) } else { look(link, mayMake: false, done) }
        }
    }

    /// One after the other, up to the first that fails.
    private func steps(_ texts: [String], _ link: MySQLLink, _ done: @escaping Done) {
        guard let text = texts.first else { return done(nil) }
        link.ask(Array(text.utf8)) { [self] answer in
            switch answer {
            case .success: steps(Array(texts.dropFirst()), link, done)
            case .failure(let error): done(error)
            }
        }
    }

    private func rows(
        _ text: String, _ link: MySQLLink, _ failed: @escaping Done, _ found: @escaping ([[[UInt8]?]]) -> Void
    ) {
        link.ask(Array(text.utf8)) { answer in
            switch answer {
            case .success(.rows(let rows)): found(rows)
            case .success(.changed): found([])
            case .failure(let error): failed(error)
            }
        }
    }
}
