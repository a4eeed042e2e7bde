// The open database: how it is opened, and how a batch becomes one transaction.
import CLinux
import CSQLite
import Glibc
import Linux

/// Belongs to the file's thread.
final class FileConnection {
    private let database: Database
    private let notifier: ChangeNotifier
    private let turn: WriteTurn
    private let isFullyDurable: Bool
    /// As it is set now.
    private var isWaitingForDisk: Bool
    private var checkpoints: Checkpoints
    private let path: String
    private let opened: Place?

    /// Looks at a lock that another process has: about ten seconds.
    private static let looks = 2100

    init(_ address: SQLiteAddress) throws {
        try Self.createPrivately(address.path)
        do {
            database = try Database(path: address.path) { look in
                Self.nap(look)
                return look < Self.looks
            }
            try Schema.refuseOthers(database, path: address.path)
            try Self.useWriteAheadLog(database, path: address.path)
            try database.script("PRAGMA synchronous = \(address.durability == .full ? "FULL" : "NORMAL")")
        } catch let error as DatabaseError where error.code == SQLITE_CANTOPEN {
            throw Self.unopenable(address.path, error)
        }
        try Schema.prepare(database, path: address.path)
        checkpoints = try Checkpoints(database)
        isFullyDurable = address.durability == .full
        isWaitingForDisk = isFullyDurable
        path = address.path
        opened = Place(of: path)
        notifier = try ChangeNotifier(path: ChangeNotifier.path(for: address.path))
        turn = try WriteTurn(path: ChangeNotifier.path(for: address.path))
    }

    /// Which file a name stands for.
    private struct Place: Equatable {
        var device: dev_t
        var inode: ino_t

        /// nil: unknown.
        init?(of path: String) {
            var status = stat()
            if stat(path, &status) != 0, errno != ENOENT { return nil }
            (device, inode) = (status.st_dev, status.st_ino)
        }
    }

    /// What is written into a file that has lost its name is lost.
    func checkPlace() throws(SQLiteFailure) {
        guard let opened, let now = Place(of: path), now != opened else { return }
        throw SQLiteFailure(
            .permanent, "\(path) was removed or replaced while it was in use",
            fix: "End all that use it, put the file in its place, and start again")
    }

    /// All or nothing. Reads alone need no transaction.
    func run(_ batch: [FileJob]) throws {
        if batch.allSatisfy({ $0.kind == .read }) {
            for job in batch { try job.run(database) }
        } else {
            // Settable between transactions only.
            let waitsForDisk = isFullyDurable && batch.contains { $0.kind != .read && $0.kind != .note }
            if waitsForDisk != isWaitingForDisk {
                try database.script("PRAGMA synchronous = \(waitsForDisk ? "FULL" : "NORMAL")")
                isWaitingForDisk = waitsForDisk
            }
            turn.take()
            defer { turn.pass() }
            try database.transaction(.immediate) {
                turn.pass()
                for job in batch { try job.run(database) }
            }
        }
        checkpoints.written(batch.count)
        if batch.contains(where: { $0.kind == .announcedWrite }) { notifier.notify() }
    }

    /// After a batch; what it did is in the file already, whatever comes of this.
    func tidyLog() throws {
        guard checkpoints.isDue(database) else { return }
        turn.take()
        defer { turn.pass() }
        try checkpoints.run(database)
    }

    func close() throws {
        try database.close()
        notifier.close()
        turn.close()
    }

    /// SQLite does not wait for a lock here: when several processes open a new file at once, all but one are refused at
    /// once that it is busy.
    private static func useWriteAheadLog(_ db: Database, path: String) throws {
        var look = 0
        while true {
            do {
                let mode: String? = try db.prepare("PRAGMA journal_mode = WAL").first { $0.read(0) }
                guard mode == "wal" else {
                    throw SQLiteFailure(
                        .permanent, "\(path) cannot be used with a write-ahead log (\(mode ?? "no mode"))",
                        fix: "Name a file on a local disk")
                }
                return
            } catch let error as DatabaseError where error.code == SQLITE_BUSY && look < looks {
                nap(look)
                look += 1
            }
        }
    }

    /// Short ones: the other side's transactions take milliseconds, and SQLite's own schedule sleeps up to 100.
    /// Who is next in turn looks here until the one before it has committed.
    private static func nap(_ look: Int) { usleep(look < 100 ? 150 : 5000) }

    /// Makes folder (0700) and file (0600) ourselves: what tasks carry is private.
    private static func createPrivately(_ path: String) throws(SQLiteFailure) {
        let folder = Files.parent(of: path)
        if access(folder, F_OK) != 0 {
            do throws(SystemFailure) {
                try Files.makeFolder(folder, mode: 0o700)
            } catch {
                throw SQLiteFailure(
                    .permanent, "The folder \(folder) cannot be made: \(error)",
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
            if access(path, R_OK | W_OK) == 0 { return try refuseDevices(path) }
            code = errno
        }
        throw SQLiteFailure(
            [ENOSPC, EMFILE, ENFILE, EIO].contains(code) ? .transient : .permanent,
            "\(path) cannot be opened for writing: \(String(cString: strerror(code)))",
            fix: "Give this user write access to the file and its folder, or name another file")
    }

    /// A device takes what is written and keeps nothing of it.
    private static func refuseDevices(_ path: String) throws(SQLiteFailure) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return }
        let kind = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "a device, a socket or a pipe"
        throw SQLiteFailure(.permanent, "\(path) is \(kind), not a file", fix: "Name a file on a local disk")
    }

    private static func unopenable(_ path: String, _ error: DatabaseError) -> SQLiteFailure {
        SQLiteFailure(
            .permanent, "\(path) cannot be opened (\(error.message))",
            fix: "The folder must be writable too: -wal and -shm files lie beside the database")
    }
}
