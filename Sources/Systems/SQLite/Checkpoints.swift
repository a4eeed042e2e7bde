// When what is in the write-ahead log goes into the database itself.
//
// SQLite's own way is at some commit or other, beside whatever other processes do. From 3.7.0 on that can damage the
// file, very rarely: a log that is reset at the same moment ("WAL-reset bug"; mended in 3.51.3, 3.50.7 and 3.44.6).
// An older library therefore leaves it to us, and we do it while no other process can write.
import Glibc

/// Belongs to the file's thread.
struct Checkpoints {
    /// SQLite does it by itself.
    let isAutomatic: Bool
    private let logPath: String
    private var jobs = 0

    private static let maxJobs = 1000
    private static let maxBytes: Int64 = 8 << 20
    /// Pages, for SQLite's own way.
    private static let automaticPages = 2000
    /// Bytes that the log's file keeps.
    private static let automaticSize = 64 << 20
    private static let leftSize = 1 << 20

    init(_ db: Database, path: String) throws {
        let version = try db.value("SELECT sqlite_version()") ?? ""
        isAutomatic = Self.isMended(version)
        logPath = path + "-wal"
        try db.script("PRAGMA wal_autocheckpoint = \(isAutomatic ? Self.automaticPages : 0)")
        // Of what is written back at our word the log keeps little, so that its size tells how much there is.
        try db.script("PRAGMA journal_size_limit = \(isAutomatic ? Self.automaticSize : Self.leftSize)")
    }

    static func isMended(_ version: String) -> Bool {
        let parts = version.split(separator: ".").map { Int($0) ?? 0 } + [0, 0, 0]
        return switch (parts[0], parts[1]) {
        case (3, 44): parts[2] >= 6
        case (3, 50): parts[2] >= 7
        case (3, 51): parts[2] >= 3
        case (3, let minor): minor > 51
        default: parts[0] > 3
        }
    }

    mutating func written(_ count: Int) { jobs += count }

    var isDue: Bool { !isAutomatic && (jobs >= Self.maxJobs || logSize() > Self.maxBytes) }

    /// To be called by the holder of the turn: no other process begins to write then. The empty transaction waits for
    /// who has begun.
    mutating func run(_ db: Database) throws {
        try db.transaction(.immediate) {}
        try db.script("PRAGMA wal_checkpoint(PASSIVE)")
        jobs = 0
    }

    private func logSize() -> Int64 {
        var facts = stat()
        return stat(logPath, &facts) == 0 ? Int64(facts.st_size) : 0
    }
}
