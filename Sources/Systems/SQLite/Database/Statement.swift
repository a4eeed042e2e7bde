// A prepared statement: values in, rows out.
import CSQLite

/// Belongs to its connection's thread. Between two runs it holds no lock and no value.
final class Statement {
    private let connection: OpaquePointer
    private let handle: OpaquePointer
    /// The names of its columns, as they stand in the text.
    private(set) lazy var columns = (0..<sqlite3_column_count(handle)).map {
        String(cString: sqlite3_column_name(handle, $0))
    }

    init(_ sql: String, _ connection: OpaquePointer) throws {
        var made: OpaquePointer?
        let code = sqlite3_prepare_v2(connection, sql, -1, &made, nil)
        guard code == SQLITE_OK, let made else { throw DatabaseError(code, connection) }
        handle = made
        self.connection = connection
    }

    deinit { sqlite3_finalize(handle) }

    /// Runs it to its end; rows it gives are dropped.
    func run<each Value: DatabaseArgument>(_ values: repeat each Value) throws {
        try forEach(repeat each values) { _ in true }
    }

    func first<Result, each Value: DatabaseArgument>(
        _ values: repeat each Value, body: (Row) throws -> Result?
    ) throws -> Result? {
        var result: Result?
        try forEach(repeat each values) { row in
            result = try body(row)
            return false
        }
        return result
    }

    func rows<Result, each Value: DatabaseArgument>(
        _ values: repeat each Value, body: (Row) throws -> Result?
    ) throws -> [Result] {
        var results: [Result] = []
        try forEach(repeat each values) { row in
            if let result = try body(row) { results.append(result) }
            return true
        }
        return results
    }

    /// Row by row, until `body` returns false.
    func forEach<each Value: DatabaseArgument>(_ values: repeat each Value, body: (Row) throws -> Bool) throws {
        var place: Int32 = 0
        func bind(_ value: some DatabaseArgument) throws {
            place += 1
            try check(value.bind(to: handle, at: place))
        }
        defer { reset() }
        repeat try bind(each values)
        try step(body)
    }

    /// As `forEach`, with values whose number is known at run time only.
    func forEach(list values: [any DatabaseArgument], body: (Row) throws -> Bool) throws {
        defer { reset() }
        for (index, value) in values.enumerated() { try check(value.bind(to: handle, at: Int32(index + 1))) }
        try step(body)
    }

    private func step(_ body: (Row) throws -> Bool) throws {
        while true {
            switch sqlite3_step(handle) {
            case SQLITE_ROW: if try !body(Row(self, handle)) { return }
            case SQLITE_DONE: return
            case let code: throw DatabaseError(code, connection)
            }
        }
    }

    private func reset() {
        // It repeats the failure of the last step, which was thrown already.
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    private func check(_ code: Int32) throws {
        guard code == SQLITE_OK else { throw DatabaseError(code, connection) }
    }
}
