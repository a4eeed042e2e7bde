// Chords in the file: every statement that touches the tables `chord` and `chord_part`.
import Foundation
import GRDB
import GroupJoin
import TaskModel

enum ChordRows {
    /// Seconds after its last part until a chord is forgotten.
    static let keptSeconds = 86_400.0
    /// Seconds a claim lasts at first, and from the moment the body is about to be published.
    static let claimSeconds = 6.0
    static let publishSeconds = 21.0

    /// What a report, or another look, found.
    enum State: Sendable {
        case waiting
        /// Its body is published, or it failed.
        case over
        /// Complete; another worker has the claim.
        case claimedElsewhere
        case complete([[UInt8]])
        /// Claimed by us, but a member's result is not there yet.
        case incomplete
        case unjoinable(String)
    }

    static func announce(
        _ group: String, size: Int, saved: Data?, now: WallTime, in db: Database
    ) throws {
        // Applied once more, a frozen chord has the same id: what it was before must not matter, but a part may be
        // quicker than the announcement.
        try db.cachedStatement(sql: "DELETE FROM chord WHERE group_id = ? AND is_over = 1").execute(arguments: [group])
        try open(group, now: now, in: db)
        try db.cachedStatement(
            sql: "UPDATE chord SET size = ?, saved_group = ?, token = NULL, token_until = NULL WHERE group_id = ?"
        ).execute(arguments: [size, saved, group])
    }

    static func add(to group: String, now: WallTime, in db: Database) throws {
        try open(group, now: now, in: db)
        try db.cachedStatement(sql: "UPDATE chord SET extra = extra + 1 WHERE group_id = ?").execute(arguments: [group])
    }

    static func report(
        _ group: String, name: String, place: Int?, document: Data, token: String, now: WallTime, in db: Database
    ) throws -> State {
        try open(group, now: now, in: db)
        let isOver = try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT is_over FROM chord WHERE group_id = ?"), arguments: [group])
        if isOver ?? false { return .over }
        try db.cachedStatement(
            sql: "INSERT OR IGNORE INTO chord_part(group_id, name, place, document) VALUES (?, ?, ?, ?)"
        ).execute(arguments: [group, name, place, document])
        return try look(group, token: token, now: now, in: db)
    }

    /// Claims a complete chord and joins it.
    private static func look(_ group: String, token: String, now: WallTime, in db: Database) throws -> State {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT size + extra AS wanted, saved_group, token, token_until,
                        (SELECT count(*) FROM chord_part WHERE group_id = chord.group_id) AS count
                    FROM chord WHERE group_id = ?
                    """), arguments: [group])
        guard let row, let wanted: Int = row["wanted"], row["count"] == wanted else { return .waiting }
        if let holder: String = row["token"], holder != token, row["token_until"] > now.microseconds {
            return .claimedElsewhere
        }
        try claim(group, token, seconds: claimSeconds, now: now, in: db)
        if let saved: Data = row["saved_group"] { return try join([UInt8](saved), now: now, in: db) }
        let parts = try Data.fetchAll(
            db.cachedStatement(
                sql: "SELECT document FROM chord_part WHERE group_id = ? ORDER BY place IS NULL, place, id"),
            arguments: [group])
        return .complete(parts.map { [UInt8]($0) })
    }

    /// False when it is somebody else's, or the chord is over.
    static func keep(_ group: String, token: String, now: WallTime, in db: Database) throws -> Bool {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT token, token_until, is_over, size FROM chord WHERE group_id = ?"),
            arguments: [group])
        guard let row, row["is_over"] == false, row["size"] != nil else { return false }
        if let holder: String = row["token"], holder != token, row["token_until"] > now.microseconds { return false }
        try claim(group, token, seconds: publishSeconds, now: now, in: db)
        return true
    }

    /// Forgets the parts and remembers the end, so that late parts are nothing new.
    static func end(_ group: String, token: String, in db: Database) throws {
        try db.cachedStatement(sql: "UPDATE chord SET is_over = 1 WHERE group_id = ? AND token = ?")
            .execute(arguments: [group, token])
        guard db.changesCount == 1 else { return }
        try db.cachedStatement(sql: "DELETE FROM chord_part WHERE group_id = ?").execute(arguments: [group])
    }

    static func sweep(now: WallTime, limit: Int, in db: Database) throws {
        let old = try String.fetchAll(
            db.cachedStatement(sql: "SELECT group_id FROM chord WHERE expires_at <= ? LIMIT ?"),
            arguments: [now.microseconds, limit])
        for group in old {
            try db.cachedStatement(sql: "DELETE FROM chord_part WHERE group_id = ?").execute(arguments: [group])
            try db.cachedStatement(sql: "DELETE FROM chord WHERE group_id = ?").execute(arguments: [group])
        }
    }

    private static func open(_ group: String, now: WallTime, in db: Database) throws {
        let expires = now.advanced(bySeconds: keptSeconds).microseconds
        try db.cachedStatement(
            sql: """
                INSERT INTO chord(group_id, expires_at) VALUES (?1, ?2)
                ON CONFLICT(group_id) DO UPDATE SET expires_at = ?2
                """
        ).execute(arguments: [group, expires])
    }

    private static func claim(
        _ group: String, _ token: String, seconds: Double, now: WallTime, in db: Database
    ) throws {
        try db.cachedStatement(sql: "UPDATE chord SET token = ?, token_until = ? WHERE group_id = ?")
            .execute(arguments: [token, now.advanced(bySeconds: seconds).microseconds, group])
    }

    /// A header with groups within groups: from the members' own results.
    private static func join(_ saved: [UInt8], now: WallTime, in db: Database) throws -> State {
        do {
            let group = try SavedGroup(document: saved)
            var metas: [String: [UInt8]] = [:]
            for id in group.taskIDs { metas[id] = try ResultRows.fetch(id, now: now, in: db)?.meta }
            return try group.parts(metas).map(State.complete) ?? .incomplete
        } catch let problem as SavedGroup.Unreadable {
            return .unjoinable(problem.description)
        }
    }
}
