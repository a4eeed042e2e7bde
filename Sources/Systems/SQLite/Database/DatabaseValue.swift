// Which Swift types go into columns and come out of them.
import CSQLite

/// What can be given to a statement.
protocol DatabaseArgument {
    /// - Parameter place: from 1.
    /// - Returns: SQLite's code.
    func bind(to statement: OpaquePointer, at place: Int32) -> Int32
}

/// What can be read from a column. Reading is strict where SQLite is lax: text is no number, and a number is no text,
/// since what stands in a column of the wrong type was written by somebody else.
protocol DatabaseValue: DatabaseArgument {
    /// - Parameter column: from 0.
    /// - Returns: nil: NULL, or a value of another type.
    static func read(_ statement: OpaquePointer, _ column: Int32) -> Self?
}

/// SQLite makes a copy of what it gets. (C's macro for it, -1 as a function, has no Swift form.)
private let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

extension Int64: DatabaseValue {
    func bind(to statement: OpaquePointer, at place: Int32) -> Int32 { sqlite3_bind_int64(statement, place, self) }

    static func read(_ statement: OpaquePointer, _ column: Int32) -> Int64? {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: sqlite3_column_int64(statement, column)
        // Integers too large for a computation of SQLite's own become such.
        case SQLITE_FLOAT: Int64(exactly: sqlite3_column_double(statement, column).rounded(.towardZero))
        default: nil
        }
    }
}

extension DatabaseValue where Self: FixedWidthInteger {
    func bind(to statement: OpaquePointer, at place: Int32) -> Int32 {
        sqlite3_bind_int64(statement, place, Int64(self))
    }

    static func read(_ statement: OpaquePointer, _ column: Int32) -> Self? {
        Int64.read(statement, column).flatMap(Self.init(exactly:))
    }
}

extension Int: DatabaseValue {}
extension Int32: DatabaseValue {}

extension Bool: DatabaseValue {
    func bind(to statement: OpaquePointer, at place: Int32) -> Int32 {
        sqlite3_bind_int64(statement, place, self ? 1 : 0)
    }

    static func read(_ statement: OpaquePointer, _ column: Int32) -> Bool? {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: sqlite3_column_int64(statement, column) != 0
        case SQLITE_FLOAT: sqlite3_column_double(statement, column) != 0
        default: nil
        }
    }
}

extension String: DatabaseValue {
    func bind(to statement: OpaquePointer, at place: Int32) -> Int32 {
        var text = self
        return text.withUTF8 { bytes in
            // No pointer would be NULL to SQLite.
            guard let start = bytes.baseAddress else { return sqlite3_bind_text(statement, place, "", 0, copied) }
            return start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                sqlite3_bind_text64(statement, place, $0, UInt64(bytes.count), copied, UInt8(SQLITE_UTF8))
            }
        }
    }

    /// Bytes that are UTF-8 are a text as well.
    static func read(_ statement: OpaquePointer, _ column: Int32) -> String? {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_TEXT:
            guard let start = sqlite3_column_text(statement, column) else { return nil }
            let count = Int(sqlite3_column_bytes(statement, column))
            return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
        case SQLITE_BLOB: return [UInt8].read(statement, column).flatMap { String(validating: $0, as: UTF8.self) }
        default: return nil
        }
    }
}

extension [UInt8]: DatabaseArgument, DatabaseValue {
    func bind(to statement: OpaquePointer, at place: Int32) -> Int32 {
        if isEmpty { return sqlite3_bind_zeroblob(statement, place, 0) }
        return withUnsafeBytes {
            sqlite3_bind_blob64(statement, place, $0.baseAddress, UInt64($0.count), copied)
        }
    }

    /// A text is bytes as well.
    static func read(_ statement: OpaquePointer, _ column: Int32) -> [UInt8]? {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_TEXT, SQLITE_BLOB:
            guard let start = sqlite3_column_blob(statement, column) else { return [] }
            return [UInt8](UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
        default: return nil
        }
    }
}

/// A text as its bytes, for those who read it in this form: nothing is checked and made a `String` of.
struct TextBytes: DatabaseValue {
    var bytes: [UInt8]

    func bind(to statement: OpaquePointer, at place: Int32) -> Int32 {
        String(decoding: bytes, as: UTF8.self).bind(to: statement, at: place)
    }

    /// Bytes that are UTF-8 are a text as well.
    static func read(_ statement: OpaquePointer, _ column: Int32) -> TextBytes? {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_TEXT: [UInt8].read(statement, column).map(TextBytes.init)
        case SQLITE_BLOB: String.read(statement, column).map { TextBytes(bytes: [UInt8]($0.utf8)) }
        default: nil
        }
    }
}

/// nil is NULL.
extension Optional: DatabaseArgument where Wrapped: DatabaseArgument {
    func bind(to statement: OpaquePointer, at place: Int32) -> Int32 {
        self?.bind(to: statement, at: place) ?? sqlite3_bind_null(statement, place)
    }
}
