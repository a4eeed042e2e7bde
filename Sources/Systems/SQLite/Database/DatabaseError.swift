// What SQLite answers when it cannot do what it was asked.
import CSQLite

/// A failed call, with SQLite's own code and words.
struct DatabaseError: Error, CustomStringConvertible {
    /// The extended result code: it tells reasons apart that share a primary code.
    let extendedCode: Int32
    let message: String

    /// One of `SQLITE_BUSY`, `SQLITE_FULL` …
    var code: Int32 { extendedCode & 0xFF }

    /// - Parameter connection: the one whose last call failed; nil: there is none, only the code is known.
    init(_ code: Int32, _ connection: OpaquePointer?) {
        extendedCode = connection.map(sqlite3_extended_errcode) ?? code
        // Of a connection that could not even be allocated nothing more is known.
        message = String(cString: connection.map { sqlite3_errmsg($0) } ?? sqlite3_errstr(code))
    }

    var description: String { "\(message) (SQLite's code \(extendedCode))" }
}
