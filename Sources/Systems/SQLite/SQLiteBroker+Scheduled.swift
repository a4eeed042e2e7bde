// What waits in the file for its time.
public import Ports
import TaskModel
import TaskhostJSON

extension SQLiteBroker {
    public func scheduled(
        _ question: ScheduledQuestion, done: @escaping (Result<ScheduledMessages, BrokerFailure>) -> Void
    ) {
        // With ids all that is found is to be reported.
        let asksAsHost = question.asker == .host && question.ids == nil
        let (own, identity) = (consumer?.host, identity)
        file.submit(.read) { db in
            if asksAsHost, let reporter = try HostRows.oldest(seenBy: identity, in: db), reporter != own {
                return ScheduledMessages()
            }
            return try MessageRows.scheduled(question, in: db)
        } done: { result in
            done(result.mapError(\.asBrokerFailure))
        }
    }
}

extension HostRows {
    /// The first one that was registered and lives.
    static func oldest(seenBy observer: HostIdentity, in db: Database) throws -> Int64? {
        var found: Int64?
        try db.statement("SELECT id, pid, started, boot, pid_namespace FROM host ORDER BY id").forEach { row in
            guard let identity = row.identity, identity.fate(seenBy: observer) != .dead else { return true }
            found = row.read("id")
            return false
        }
        return found
    }
}

extension MessageRows {
    /// What one answer may hold, in bytes; a larger message goes alone.
    private static let longestAnswer = 4 << 20

    static func scheduled(_ question: ScheduledQuestion, in db: Database) throws -> ScheduledMessages {
        var found = ScheduledMessages()
        let places = question.queues.map { _ in "?" }.joined(separator: ",")
        var condition = "state = 1 AND queue IN (\(places))"
        var values: [any DatabaseArgument] = question.queues
        if let ids = question.ids {
            // Headers that somebody spoiled are no JSON, and would end the query.
            let name: (String) -> String = { "CASE WHEN json_valid(headers) THEN json_extract(headers, '$.\($0)') END" }
            condition += " AND (\(name("id")) IN (SELECT value FROM json_each(?))"
            condition += " OR \(name("root_id")) IN (SELECT value FROM json_each(?)))"
            let list = JSON.array(ids.sorted().map(JSON.string)).bytes
            values += [String(decoding: list, as: UTF8.self), String(decoding: list, as: UTF8.self)]
        }
        for queue in question.queues { found.counts[queue] = 0 }
        try db.prepare("SELECT queue, count(*) AS number FROM message WHERE \(condition) GROUP BY queue")
            .forEach(list: values) { row in
                if let queue: String = row.read("queue") { found.counts[queue] = row.read("number") }
                return true
            }
        var room = longestAnswer
        try db.prepare(
            "SELECT \(columns), queue, visible_at FROM message WHERE \(condition) ORDER BY visible_at, id LIMIT ?"
        ).forEach(list: values + [question.limit]) { row in
            let stored = StoredMessage(row, in: row.read("queue") ?? "")
            room -= stored.size
            found.next.append(
                ScheduledMessage(
                    due: WallTime(microseconds: row.read("visible_at") ?? 0), queue: stored.queue,
                    redelivered: stored.deliveries > 0, message: stored.message()))
            return room > 0
        }
        return found
    }
}
