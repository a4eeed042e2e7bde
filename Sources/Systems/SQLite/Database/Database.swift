// One connection to a SQLite file: statements, transactions, waiting for locks.
import CSQLite

/// Belongs to one thread. Its statements are kept prepared, by their text, until it is closed.
final class Database {
    /// What `BEGIN` takes at once: `deferred` no lock, `immediate` the one lock of all writers.
    enum Lock: String {
        case deferred = "DEFERRED"
        case immediate = "IMMEDIATE"
    }

    private let connection: OpaquePointer
    private var statements: [String: Statement] = [:]
    private var isOpen = true
    /// Of the write-ahead log, as of our last commit; only with `watchLog`.
    var pagesInLog = 0
    fileprivate let mayWait: (Int) -> Bool

    /// Opens the file, and makes it if there is none.
    /// - Parameter mayWait: asked each time a lock is somebody else's, with the number of times it was asked for this
    ///   lock before. It waits a while and returns true to try again, or false to fail with `SQLITE_BUSY`.
    /// - Throws: `DatabaseError`.
    init(path: String, mayWait: @escaping (Int) -> Bool = { _ in false }) throws {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        let code = sqlite3_open_v2(path, &opened, flags, nil)
        guard code == SQLITE_OK, let opened else {
            let error = DatabaseError(code, opened)
            sqlite3_close(opened)
            throw error
        }
        connection = opened
        self.mayWait = mayWait
        sqlite3_extended_result_codes(connection, 1)
        sqlite3_busy_handler(
            connection,
            { this, looks in
                guard let this else { return 0 }
                return Unmanaged<Database>.fromOpaque(this).takeUnretainedValue().mayWait(Int(looks)) ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        guard isOpen else { return }
        statements = [:]
        // Closed as soon as the last statement is gone.
        sqlite3_close_v2(connection)
    }

    /// Nothing may be asked of it afterwards.
    func close() throws {
        statements = [:]
        try check(sqlite3_close(connection))
        isOpen = false
    }

    /// From now on each commit sets `pagesInLog`. Ends SQLite's own checkpoints.
    func watchLog() {
        sqlite3_wal_hook(
            connection,
            { this, _, _, pages in
                if let this { Unmanaged<Database>.fromOpaque(this).takeUnretainedValue().pagesInLog = Int(pages) }
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Rows that the last INSERT, UPDATE or DELETE touched.
    var changesCount: Int { Int(sqlite3_changes(connection)) }
    var lastInsertedRowID: Int64 { sqlite3_last_insert_rowid(connection) }

    /// A statement that is not kept: for texts made at run time.
    func prepare(_ sql: String) throws -> Statement { try Statement(sql, connection) }

    /// The kept statement of this text.
    func statement(_ sql: String) throws -> Statement {
        if let known = statements[sql] { return known }
        let made = try prepare(sql)
        statements[sql] = made
        return made
    }

    /// Several statements in one text, without values; rows they give are dropped. Also for PRAGMAs, some of which act
    /// while they are prepared and so must not be kept.
    func script(_ sql: String) throws { try check(sqlite3_exec(connection, sql, nil, nil, nil)) }

    /// All or nothing: what throws is undone.
    func transaction(_ lock: Lock, _ body: () throws -> Void) throws {
        try script("BEGIN \(lock.rawValue)")
        do {
            try body()
            try script("COMMIT")
        } catch {
            // A full disk and the like have rolled back already. If it fails here, the next BEGIN says so.
            if sqlite3_get_autocommit(connection) == 0 { sqlite3_exec(connection, "ROLLBACK", nil, nil, nil) }
            throw error
        }
    }

    private func check(_ code: Int32) throws {
        guard code == SQLITE_OK else { throw DatabaseError(code, connection) }
    }
}

extension Database {
    /// Runs a kept statement to its end.
    func run<each Value: DatabaseArgument>(_ sql: String, _ values: repeat each Value) throws {
        try statement(sql).run(repeat each values)
    }

    /// The first column of the first row; nil: no row, NULL, or a value of another type.
    func value<Result: DatabaseValue, each Value: DatabaseArgument>(
        _ sql: String, _ values: repeat each Value
    ) throws -> Result? {
        try statement(sql).first(repeat each values) { $0.read(0) }
    }

    /// What `body` makes of the first row; nil: there is none.
    func first<Result, each Value: DatabaseArgument>(
        _ sql: String, _ values: repeat each Value, body: (Row) throws -> Result?
    ) throws -> Result? {
        try statement(sql).first(repeat each values, body: body)
    }

    /// What `body` makes of each row, without its nils.
    func rows<Result, each Value: DatabaseArgument>(
        _ sql: String, _ values: repeat each Value, body: (Row) throws -> Result?
    ) throws -> [Result] {
        try statement(sql).rows(repeat each values, body: body)
    }
}
