// The open database: how it is opened, and how a batch becomes one transaction.
import CLinux
import Foundation
import GRDB

/// Belongs to the file's thread.
final class FileConnection {
    private let queue: DatabaseQueue
    private let bell: WakeBell
    private let turn: WriteTurn

    /// Looks at a lock that another process has: about ten seconds.
    private static let looks = 2000

    init(_ address: SQLiteAddress) throws {
        try Self.createPrivately(address.path)
        var configuration = Configuration()
        configuration.label = "sqlite"
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .callback { look in
            Self.nap(look)
            return look < Self.looks
        }
        // Not GRDB's own WAL mode: it would turn `synchronous` back to NORMAL, and write a table at each opening.
        configuration.prepareDatabase { db in
            try Schema.refuseOthers(db, path: address.path)
            try Self.useWriteAheadLog(db, path: address.path)
            try db.execute(sql: "PRAGMA synchronous = \(address.durability == .full ? "FULL" : "NORMAL")")
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 2000")
            try db.execute(sql: "PRAGMA journal_size_limit = 67108864")
        }
        do {
            queue = try DatabaseQueue(path: address.path, configuration: configuration)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CANTOPEN {
            throw Self.unopenable(address.path, error)
        }
        try queue.inDatabase { db in try Schema.prepare(db, path: address.path) }
        bell = try WakeBell(path: WakeBell.path(for: address.path))
        turn = try WriteTurn(path: WakeBell.path(for: address.path))
    }

    /// All or nothing. Reads alone need no transaction.
    func run(_ batch: [FileJob]) throws {
        try queue.inDatabase { db in
            if batch.allSatisfy({ $0.kind == .read }) {
                for job in batch { try job.run(db) }
            } else {
                turn.take()
                defer { turn.pass() }
                try db.inTransaction(.immediate) {
                    turn.pass()
                    for job in batch { try job.run(db) }
                    return .commit
                }
            }
        }
        if batch.contains(where: { $0.kind == .announcedWrite }) { bell.ring() }
    }

    func close() throws {
        try queue.close()
        bell.close()
        turn.close()
    }

    /// SQLite does not wait for a lock here: when several processes open a new file at once, all but one are told at
    /// once that it is busy.
    private static func useWriteAheadLog(_ db: Database, path: String) throws {
        var look = 0
        while true {
            do {
                let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL")
                guard mode == "wal" else {
                    throw SQLiteFailure(
                        .permanent, "\(path) cannot be used with a write-ahead log (\(mode ?? "no mode"))",
                        fix: "Name a file on a local disk")
                }
                return
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && look < looks {
                nap(look)
                look += 1
            }
        }
    }

    /// Short ones: the other side's transactions take milliseconds, and SQLite's own schedule sleeps up to 100.
    private static func nap(_ look: Int) { usleep(look < 20 ? 500 : 5000) }

    /// Makes folder (0700) and file (0600) ourselves: what tasks carry is nobody else's business.
    private static func createPrivately(_ path: String) throws(SQLiteFailure) {
        let folder = (path as NSString).deletingLastPathComponent
        if access(folder, F_OK) != 0 {
            do {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            } catch {
                throw SQLiteFailure(
                    .permanent, "The folder \(folder) cannot be made: \(error.localizedDescription)",
                    fix: "Make it and give this user write access, or name another file")
            }
        }
        // Only ever opened here when it is new: closing a descriptor of a file drops all locks this process has on it.
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 {
            _ = clinux_close(descriptor)
            return
        }
        var code = errno
        if code == EEXIST {
            if access(path, R_OK | W_OK) == 0 { return }
            code = errno
        }
        throw SQLiteFailure(
            [ENOSPC, EMFILE, ENFILE, EIO].contains(code) ? .transient : .permanent,
            "\(path) cannot be opened for writing: \(String(cString: strerror(code)))",
            fix: "Give this user write access to the file and its folder, or name another file")
    }

    private static func unopenable(_ path: String, _ error: DatabaseError) -> SQLiteFailure {
        SQLiteFailure(
            .permanent, "\(path) cannot be opened (\(error.message ?? "no reason given"))",
            fix: "The folder must be writable too: -wal and -shm files lie beside the database")
    }
}
