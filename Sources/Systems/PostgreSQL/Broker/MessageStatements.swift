// Statements on messages by those who send, look and tidy up; those of consumers are in ConsumerStatements.swift.
import Ports
import TaskModel

enum MessageStatements {
    /// Answers, for the first, the places (from 1) of those whose claim is lost; these are not sent.
    static func insert(_ messages: [NewMessage]) -> [Statement] {
        var parameters: [Parameter] = [
            .texts(messages.map(\.queue)), .integers(messages.map(\.state)), .integers(messages.map(\.priority)),
            .doubles(messages.map(\.delay)), .texts(messages.map(\.name)), .texts(messages.map(\.root)),
            .texts(messages.map(\.properties)), .texts(messages.map(\.headers)), .bytes(messages.map(\.body)),
        ]
        let notices = Set(messages.compactMap(\.notice))
        let sql: String
        if messages.contains(where: { $0.claim != nil }) {
            sql = claimed
            parameters += [.longs(messages.map(\.claim?.id)), .longs(messages.map(\.claim?.host))]
        } else {
            sql = "\(made) \(given) ORDER BY place"
        }
        let insert = Statement(sql: sql, parameters: parameters, isContinued: !notices.isEmpty)
        return notices.isEmpty ? [insert] : [insert, notify(notices)]
    }

    /// In the transaction of what it tells of: given out when that is committed.
    static func notify(_ notices: Set<String>) -> Statement {
        Statement(
            sql: "SELECT pg_notify('\(MessageNotice.channel)', word) FROM unnest($1::text[]) AS word",
            parameters: [.texts(notices.sorted())])
    }

    private static let made = """
        INSERT INTO taskhost.message(queue, state, priority, due, name, root, properties, headers, body)
        SELECT queue, state, priority, clock_timestamp() + make_interval(secs => delay), name, root, properties, headers,
        body
        """

    private static let given = """
        FROM unnest($1::text[], $2::int4[], $3::int4[], $4::float8[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::bytea[]) WITH ORDINALITY AS given(queue, state, priority, delay, name, root, properties, headers, body, place)
        """

    /// The messages that others are sent on behalf of are locked: nobody takes them over before the commit.
    private static let claimed = """
        WITH held AS MATERIALIZED (SELECT id, host FROM taskhost.message WHERE state = 2 AND id = ANY($10::int8[])
        ORDER BY id FOR SHARE),
        claims AS (SELECT place, claim IS NULL OR EXISTS
        (SELECT FROM held WHERE held.id = claim AND held.host = claimant) AS holds
        FROM unnest($10::int8[], $11::int8[]) WITH ORDINALITY AS asked(claim, claimant, place)),
        made AS (\(made) \(given) JOIN claims USING (place) WHERE holds ORDER BY place)
        SELECT place FROM claims WHERE NOT holds
        """

    static func holds(_ held: HeldMessage) -> Statement {
        Statement(
            sql: "SELECT FROM taskhost.message WHERE state = 2 AND id = $1 AND host = $2",
            parameters: [.long(held.id), .long(held.host)])
    }

    /// - Parameters:
    ///   - states: "0", or "0, 1".
    ///   - most: counted no further than that; nil: all.
    static func count(_ queues: [String], states: String, most: Int? = nil) -> Statement {
        Statement(
            sql: """
                SELECT queue, (SELECT count(*) FROM (SELECT FROM taskhost.message WHERE message.queue = asked.queue
                AND state IN (\(states)) LIMIT \(most.map(String.init) ?? "ALL")) AS counted)
                FROM unnest($1::text[]) AS asked(queue)
                """, parameters: [.texts(queues)])
    }

    static func purge(_ queue: String) -> Statement {
        Statement(
            sql: "DELETE FROM taskhost.message WHERE queue = $1 AND state IN (0, 1)", parameters: [.text(queue)])
    }

    /// - Parameter ids: nil: of all.
    static func dead(of queue: String, ids: Set<String>?, after: Int64, limit: Int) -> Statement {
        let named = ids == nil ? "" : "AND coalesce(name, 'message-' || id) = ANY($4::text[])"
        return Statement(
            sql: """
                SELECT \(StoredMessage.columns) FROM taskhost.message
                WHERE state = 3 AND queue = $1 AND id > $2 \(named) ORDER BY id LIMIT $3
                """,
            parameters: [.text(queue), .long(after), .long(Int64(limit))] + (ids.map { [.texts($0.sorted())] } ?? []))
    }

    /// Answers the number that were dead letters still.
    /// - Parameter revived: by what is put into queues in their stead; nil: nothing.
    static func settleDead(_ ids: [Int64], revived: [NewMessage]?) -> [Statement] {
        let gone = "DELETE FROM taskhost.message WHERE state = 3 AND id = ANY($1::int8[])"
        guard let revived else { return [Statement(sql: gone, parameters: [.longs(ids)])] }
        let sql = """
            WITH gone AS (\(gone) RETURNING id)
            INSERT INTO taskhost.message(queue, state, priority, name, root, properties, headers, body)
            SELECT queue, 0, priority, name, root, properties, headers, body
            FROM unnest($1::int8[], $2::text[], $3::int4[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[])
            AS given(id, queue, priority, name, root, properties, headers, body) JOIN gone USING (id) ORDER BY id
            """
        let parameters: [Parameter] = [
            .longs(ids), .texts(revived.map(\.queue)), .integers(revived.map(\.priority)),
            .texts(revived.map(\.name)), .texts(revived.map(\.root)), .texts(revived.map(\.properties)),
            .texts(revived.map(\.headers)), .bytes(revived.map(\.body)),
        ]
        return [
            Statement(sql: sql, parameters: parameters, isContinued: true), notify(Set(revived.compactMap(\.notice))),
        ]
    }
}
