// When what is in the write-ahead log goes into the database itself.
//
// SQLite's own way is at some commit or other, beside whatever other processes do. From 3.7.0 on that can damage the
// file, very rarely: a log that is reset at the same moment ("WAL-reset bug"; mended in 3.51.3, 3.50.7 and 3.44.6).
// An older library therefore leaves it to us, and we do it while no other process can write.

/// Belongs to the file's thread.
struct Checkpoints {
    /// SQLite does it by itself.
    let isAutomatic: Bool
    private var jobs = 0

    private static let maxJobs = 1000
    /// Pages, 4 KiB each: what others wait for while they are written back.
    private static let maxPages = 1500
    /// Pages, for SQLite's own way.
    private static let automaticPages = 2000
    /// Bytes that the log's file keeps.
    private static let automaticSize = 64 << 20
    /// More than `maxPages`: a log that is written over costs less to sync than one that grows again each time. Less than
    /// clients of before 2 December 2026 and Python's take for a log that is due.
    private static let leftSize = 7 << 20

    init(_ db: Database) throws {
        let version = try db.value("SELECT sqlite_version()") ?? ""
        isAutomatic = Self.isMended(version)
        try db.script("PRAGMA wal_autocheckpoint = \(isAutomatic ? Self.automaticPages : 0)")
        try db.script("PRAGMA journal_size_limit = \(isAutomatic ? Self.automaticSize : Self.leftSize)")
        // SQLite's own way is such a watch, too, and the pragma ends ours.
        if !isAutomatic { db.watchLog() }
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

    func isDue(_ db: Database) -> Bool { !isAutomatic && (jobs >= Self.maxJobs || db.pagesInLog >= Self.maxPages) }

    /// To be called by the holder of the turn: no other process begins to write then. The empty transaction waits for
    /// who has begun.
    mutating func run(_ db: Database) throws {
        try db.transaction(.immediate) {}
        try db.script("PRAGMA wal_checkpoint(PASSIVE)")
        jobs = 0
        db.pagesInLog = 0
    }
}
