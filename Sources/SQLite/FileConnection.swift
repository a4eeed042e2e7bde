// The open database: how it is opened, and how a batch becomes one transaction.
import CLinux
import Foundation
import GRDB

/// Belongs to the file's thread.
final class FileConnection {
    private let queue: DatabaseQueue
    private let bell: WakeBell

    init(_ address: SQLiteAddress) throws {
        try Self.createPrivately(address.path)
        var configuration = Configuration()
        configuration.label = "sqlite"
        configuration.journalMode = .wal
        configuration.foreignKeysEnabled = false
        // Short naps: the other side's transactions take milliseconds, and SQLite's own schedule sleeps up to 100.
        configuration.busyMode = .callback { attempt in
            usleep(attempt < 20 ? 500 : 5000)
            return attempt < 2000
        }
        configuration.prepareDatabase { db in
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
    }

    /// All or nothing. Reads alone need no transaction.
    func run(_ batch: [FileJob]) throws {
        try queue.inDatabase { db in
            if batch.allSatisfy({ $0.kind == .read }) {
                for job in batch { try job.run(db) }
            } else {
                try db.inTransaction(.immediate) {
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
    }

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
