// Questions to a SQLite database. Preguntas a una base de datos SQLite.
import TaskhostSDK

final class Database {
    private let handle: OpaquePointer

    /// Opened for reading: a report changes nothing. Solo lectura.
    init(_ path: String) throws {
        var opened: OpaquePointer?
        let status = sqlite3_open_v2(path, &opened, SQLITE_OPEN_READONLY, nil)
        guard status == SQLITE_OK, let opened else {
            sqlite3_close(opened)
            throw TaskError(type: "OSError", "\(path): \(String(cString: sqlite3_errstr(status)))")
        }
        handle = opened
        sqlite3_busy_timeout(handle, 5000)
    }

    deinit { sqlite3_close(handle) }

    /// The rows, every value as its text. Las filas, cada valor como texto.
    func rows(_ sql: String, _ values: [String]) throws -> [[String]] {
        var prepared: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &prepared, nil) == SQLITE_OK, let statement = prepared else {
            throw problem()
        }
        defer { sqlite3_finalize(statement) }
        // SQLITE_TRANSIENT: SQLite makes a copy, as Swift's text is there for the call only.
        let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        for (number, value) in values.enumerated() {
            sqlite3_bind_text(statement, Int32(number + 1), value, -1, copied)
        }
        var rows: [[String]] = []
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW:
                rows.append(
                    (0..<sqlite3_column_count(statement)).map { column in
                        sqlite3_column_text(statement, column).map { String(cString: $0) } ?? ""
                    })
            case SQLITE_DONE: return rows
            default: throw problem()
            }
        }
    }

    private func problem() -> TaskError { TaskError(type: "RuntimeError", String(cString: sqlite3_errmsg(handle))) }
}
