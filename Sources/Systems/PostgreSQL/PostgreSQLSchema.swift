// Celery's tables in PostgreSQL: made where they are missing, as its own backend makes them (celery-protocol.md §4.7).
import Ports
import SQLRows

/// Looks at the tables over a new connection, and makes what is not there. Whoever makes them at the same time (other
/// hosts, Celery) is no fault.
final class PostgreSQLSchema {
    let tables: ResultTables
    /// Columns that the table of tasks has.
    private(set) var columns: Set<String> = []

    init(_ tables: ResultTables) { self.tables = tables }

    /// - Parameter done: nil, or why the tables cannot be used.
    func prepare(_ link: PostgreSQLLink, done: @escaping (ServerError?) -> Void) {
        link.send([exist]) { [self] _, answer in
            switch answer {
            case .lost: done(ServerError(state: "08006", message: "the connection was lost"))
            case .failed(let error): done(error)
            case .rows(let rows):
                let isThere = rows.first?.first.flatMap { $0 } == [1]
                if isThere { look(link, mayAdd: true, done) } else { make(link, done) }
            }
        }
    }

    private var exist: Statement {
        Statement(
            sql: "SELECT to_regclass($1) IS NOT NULL AND to_regclass($2) IS NOT NULL",
            parameters: [.text(tables.task.quoted("\"")), .text(tables.group.quoted("\""))])
    }

    private func make(_ link: PostgreSQLLink, _ done: @escaping (ServerError?) -> Void) {
        let statements = Self.statements(tables)
        var first: ServerError?
        link.send(statements) { [self] index, answer in
            switch answer {
            case .lost: first = first ?? ServerError(state: "08006", message: "the connection was lost")
            case .failed(let error): first = first ?? error
            case .rows: break
            }
            guard index == statements.count - 1 else { return }
            // Somebody else was quicker: it is looked at again over the next connection.
            if let first { done(first) } else { look(link, mayAdd: true, done) }
        }
    }

    /// One transaction.
    private static func statements(_ tables: ResultTables) -> [Statement] {
        let (task, group) = (tables.task.quoted("\""), tables.group.quoted("\""))
        var texts = [
            // IF NOT EXISTS alone fails when two do it at the same moment.
            "SELECT pg_advisory_xact_lock(hashtext('taskhost: tables of results'))",
            "CREATE SEQUENCE IF NOT EXISTS \(tables.taskSequence.quoted("\""))",
            """
            CREATE TABLE IF NOT EXISTS \(task) (id INTEGER NOT NULL, task_id VARCHAR(155), status VARCHAR(50),
            result BYTEA, date_done TIMESTAMP WITHOUT TIME ZONE, traceback TEXT, children BYTEA, name VARCHAR(155),
            args BYTEA, kwargs BYTEA, worker VARCHAR(155), retries INTEGER, queue VARCHAR(155), stamps BYTEA,
            PRIMARY KEY (id), UNIQUE (task_id))
            """,
            "CREATE INDEX IF NOT EXISTS ix_celery_taskmeta_date_done ON \(task) (date_done)",
            "CREATE SEQUENCE IF NOT EXISTS \(tables.groupSequence.quoted("\""))",
            """
            CREATE TABLE IF NOT EXISTS \(group) (id INTEGER NOT NULL, taskset_id VARCHAR(155), result BYTEA,
            date_done TIMESTAMP WITHOUT TIME ZONE, PRIMARY KEY (id), UNIQUE (taskset_id))
            """,
        ]
        texts.append("CREATE INDEX IF NOT EXISTS ix_celery_tasksetmeta_date_done ON \(group) (date_done)")
        return texts.enumerated().map { index, text in Statement(sql: text, isContinued: index < texts.count - 1) }
    }

    /// - Parameter mayAdd: columns of newer versions are added, as Celery does at its start; a user who may not do that
    ///   does without them.
    private func look(_ link: PostgreSQLLink, mayAdd: Bool, _ done: @escaping (ServerError?) -> Void) {
        let names = Statement(
            sql: """
                SELECT attname::text FROM pg_attribute
                WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
                """, parameters: [.text(tables.task.quoted("\""))])
        link.send([names]) { [self] _, answer in
            switch answer {
            case .lost: done(ServerError(state: "08006", message: "the connection was lost"))
            case .failed(let error): done(error)
            case .rows(let rows):
                columns = Set(rows.compactMap { $0.first.flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) } })
                let missing = Self.nullable.filter { !columns.contains($0.name) }
                guard mayAdd, !missing.isEmpty else { return done(nil) }
                let parts = missing.map { "ADD COLUMN IF NOT EXISTS \($0.name) \($0.type)" }
                let sql = "ALTER TABLE \(tables.task.quoted("\"")) \(parts.joined(separator: ", "))"
                link.send([Statement(sql: sql)]) { [self] _, added in
                    if case .lost = added {
                        return done(ServerError(state: "08006", message: "the connection was lost"))
                    }
                    look(link, mayAdd: false, done)
                }
            }
        }
    }

    private static let nullable: [(name: String, type: String)] = [
        ("children", "BYTEA"), ("name", "VARCHAR(155)"), ("args", "BYTEA"), ("kwargs", "BYTEA"),
        ("worker", "VARCHAR(155)"), ("retries", "INTEGER"), ("queue", "VARCHAR(155)"), ("stamps", "BYTEA"),
    ]
}
