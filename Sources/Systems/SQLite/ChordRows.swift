// Chords in the file: every statement that touches the tables `chord` and `chord_part`.
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
        _ group: String, size: Int, saved: [UInt8]?, now: WallTime, in db: Database
    ) throws {
        // Applied once more, a frozen chord has the same id: what it was before must not matter, but a part may be
        // quicker than the announcement.
        try db.run("DELETE FROM chord WHERE group_id = ? AND is_over = 1", group)
        try open(group, now: now, in: db)
        try db.run(
            "UPDATE chord SET size = ?, saved_group = ?, token = NULL, token_until = NULL WHERE group_id = ?", size,
            saved, group)
    }

    static func add(to group: String, now: WallTime, in db: Database) throws {
        try open(group, now: now, in: db)
        try db.run("UPDATE chord SET extra = extra + 1 WHERE group_id = ?", group)
    }

    static func report(
        _ group: String, name: String, place: Int?, document: [UInt8], token: String, now: WallTime, in db: Database
    ) throws -> State {
        try open(group, now: now, in: db)
        if try db.value("SELECT is_over FROM chord WHERE group_id = ?", group) ?? false { return .over }
        try db.run(
            "INSERT OR IGNORE INTO chord_part(group_id, name, place, document) VALUES (?, ?, ?, ?)", group, name, place,
            document)
        return try look(group, token: token, now: now, in: db)
    }

    /// Claims a complete chord and joins it.
    private static func look(_ group: String, token: String, now: WallTime, in db: Database) throws -> State {
        let found = try db.first(
            """
            SELECT size + extra AS wanted, saved_group, token, token_until,
                (SELECT count(*) FROM chord_part WHERE group_id = chord.group_id) AS count
            FROM chord WHERE group_id = ?
            """, group
        ) { row -> (isClaimed: Bool, saved: [UInt8]?)? in
            guard let wanted: Int = row.read("wanted"), row.read("count") == wanted else { return nil }
            return (isClaimed(row, by: token), row.read("saved_group"))
        }
        guard let found else { return .waiting }
        if found.isClaimed { return .claimedElsewhere }
        try claim(group, token, seconds: claimSeconds, in: db)
        if let saved = found.saved { return try join(saved, now: now, in: db) }
        // An empty one is no part: the joining code says so.
        return .complete(
            try db.rows(
                "SELECT document FROM chord_part WHERE group_id = ? ORDER BY place IS NULL, place, id", group
            ) { row in row.read("document") ?? [] })
    }

    /// False when it is somebody else's, or the chord is over.
    static func keep(_ group: String, token: String, now: WallTime, in db: Database) throws -> Bool {
        let isFree = try db.first("SELECT token, token_until, is_over, size FROM chord WHERE group_id = ?", group) {
            row in
            row.read("is_over") == false && row.read("size") as Int? != nil && !isClaimed(row, by: token)
        }
        guard isFree == true else { return false }
        try claim(group, token, seconds: publishSeconds, in: db)
        return true
    }

    /// Forgets the parts and remembers the end, so that late parts are nothing new.
    static func end(_ group: String, token: String, in db: Database) throws {
        try db.run("UPDATE chord SET is_over = 1 WHERE group_id = ? AND token = ?", group, token)
        guard db.changesCount == 1 else { return }
        try db.run("DELETE FROM chord_part WHERE group_id = ?", group)
    }

    static func sweep(now: WallTime, limit: Int, in db: Database) throws {
        let old: [String] = try db.rows(
            "SELECT group_id FROM chord WHERE expires_at <= ? LIMIT ?", now.microseconds, limit
        ) { $0.read(0) }
        for group in old {
            try db.run("DELETE FROM chord_part WHERE group_id = ?", group)
            try db.run("DELETE FROM chord WHERE group_id = ?", group)
        }
    }

    private static func open(_ group: String, now: WallTime, in db: Database) throws {
        let expires = now.advanced(bySeconds: keptSeconds).microseconds
        try db.run(
            """
            INSERT INTO chord(group_id, expires_at) VALUES (?1, ?2)
            ON CONFLICT(group_id) DO UPDATE SET expires_at = ?2
            """, group, expires)
    }

    private static func claim(_ group: String, _ token: String, seconds: Double, in db: Database) throws {
        try db.run(
            "UPDATE chord SET token = ?, token_until = ? WHERE group_id = ?", token,
            BootTime.now.advanced(bySeconds: seconds).microseconds, group)
    }

    /// By somebody else than this one, for a while yet.
    private static func isClaimed(_ row: Row, by token: String) -> Bool {
        guard let holder: String = row.read("token"), holder != token, let until: Int64 = row.read("token_until") else {
            return false
        }
        // Later than any claim ends: by another clock, or before the machine was restarted.
        let left = BootTime(microseconds: until).seconds(since: .now)
        return left > 0 && left <= 2 * publishSeconds
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
