// What can go wrong with the file, sorted by whether waiting helps, with the fix for the operator.
import CSQLite
import TaskModel

/// The file's or the disk's fault.
public struct SQLiteFailure: Error, Sendable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
        /// Trying again later may work (disk full, I/O error, locked).
        case transient
        /// This file will not do, however often it is tried.
        case permanent
        /// The file is good, this one request failed; it may succeed later.
        case request
        /// The file is good, and will never take what this one request holds (too large, of a wrong kind).
        case unfit
        /// We have closed the file.
        case closed
    }

    public var kind: Kind
    public var detail: String
    public var fix: String?

    public init(_ kind: Kind, _ detail: String, fix: String? = nil) {
        self.kind = kind
        self.detail = detail
        self.fix = fix
    }

    public var description: String { failureText(detail, fix: fix) }
}

extension SQLiteFailure {
    static func closed(_ path: String) -> SQLiteFailure {
        SQLiteFailure(.closed, "\(path) was closed before this could be done")
    }

    /// Sorts an error by SQLite's result code.
    static func sorting(_ error: any Error, path: String) -> SQLiteFailure {
        if let failure = error as? SQLiteFailure { return failure }
        guard let error = error as? DatabaseError else {
            return SQLiteFailure(.request, "\(path): \(error)")
        }
        let said = error.message
        switch error.code {
        case SQLITE_NOTADB:
            return SQLiteFailure(
                .permanent, "\(path) is not a SQLite database",
                fix: "Name another file, or move this one away")
        case SQLITE_CORRUPT:
            return SQLiteFailure(
                .permanent, "\(path) is damaged (\(said))",
                fix: "Stop all hosts, then restore a copy or run: sqlite3 \(path) .recover | sqlite3 new.db")
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH:
            return SQLiteFailure(
                .permanent, "\(path) is read-only for this user",
                fix: "Give the user write access to the file and its folder, or name another file")
        case SQLITE_FULL:
            return SQLiteFailure(
                .transient, "The disk of \(path) is full", fix: "Make room; work goes on by itself")
        case SQLITE_IOERR:
            return SQLiteFailure(
                .transient, "\(path) cannot be read or written (\(said))", fix: "Look at the disk and the kernel's log")
        case SQLITE_BUSY, SQLITE_LOCKED:
            return SQLiteFailure(
                .transient, "\(path) has been locked by another process for too long",
                fix: "Find it with: fuser \(path)")
        case SQLITE_NOMEM, SQLITE_CANTOPEN, SQLITE_PROTOCOL, SQLITE_INTERRUPT:
            return SQLiteFailure(.transient, "\(path) cannot be used at the moment (\(said))")
        case SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_RANGE:
            return SQLiteFailure(.unfit, "\(path): \(said)")
        default:
            return SQLiteFailure(.request, "\(path): \(said)")
        }
    }
}
