// Statements of those who take messages: their standing as a host, taking, settling, and taking over from who is gone.
import TaskModel

/// How long a silent host keeps what it holds, in seconds, by the server's clock.
struct HostTimes: Sendable {
    /// From its last word.
    var lease = 30.0
    /// Between two words.
    var renewal = 10.0
    /// Between two looks at what has come, in case a notice of it was missed, and at who is gone.
    var poll = 2.0
}

/// A host of ours, over one of its connections. What an earlier one left under way finds another session and does nothing.
struct HostSession: Sendable, Equatable {
    var host: Int64
    var session: Int32
}

enum ConsumerStatements {
    /// No more messages at a time once they have so many bytes: a backlog of large ones comes one at a time.
    static let fetchBytes = 4 << 20

    /// Answers a row if the host still is one. It stays one until the transaction has ended: who takes over waits.
    static func own(_ own: HostSession) -> Statement {
        Statement(
            sql: "SELECT FROM taskhost.host WHERE id = $1 AND session = $2 FOR KEY SHARE",
            parameters: [.long(own.host), .integer(own.session)])
    }

    private static let isOwn = "EXISTS (SELECT FROM taskhost.host WHERE host.id = $1 AND session = $2)"

    /// Up to `limit` messages, the most urgent first, then the oldest; fewer when they are large. Rows that others are at
    /// are passed over.
    static func take(_ own: HostSession, _ limit: Int, from queue: String) -> Statement {
        // By ids, not by a join: with statistics of an empty table that would read all of it.
        Statement(
            sql: """
                WITH next AS MATERIALIZED (SELECT id, priority, octet_length(body) + octet_length(headers) AS size
                FROM taskhost.message WHERE queue = $3 AND state = 0 AND \(isOwn)
                ORDER BY priority DESC, id LIMIT $4 FOR UPDATE SKIP LOCKED),
                summed AS (SELECT id, sum(size) OVER (ORDER BY priority DESC, id) - size AS before FROM next)
                UPDATE taskhost.message SET state = 2, host = $1, deliveries = deliveries + 1
                WHERE id = ANY(ARRAY(SELECT id FROM summed WHERE before < \(fetchBytes)))
                RETURNING \(StoredMessage.columns)
                """,
            parameters: [.long(own.host), .integer(own.session), .text(queue), .long(Int64(limit))])
    }

    static func acknowledge(_ ids: [Int64], _ host: Int64) -> Statement {
        Statement(
            sql: "DELETE FROM taskhost.message WHERE id = ANY($1::int8[]) AND host = $2 AND state = 2",
            parameters: [.longs(ids), .long(host)])
    }

    static func requeue(_ ids: [Int64], _ own: HostSession) -> Statement {
        back(
            """
            UPDATE taskhost.message SET state = 0, host = NULL
            WHERE id = ANY($3::int8[]) AND host = $1 AND state = 2 AND \(isOwn)
            """, [.long(own.host), .integer(own.session), .longs(ids)])
    }

    /// Messages that are ready again, and the notice of it.
    private static func back(_ update: String, _ parameters: [Parameter]) -> Statement {
        Statement(
            sql: """
                WITH back AS (\(update) RETURNING queue)
                SELECT pg_notify('\(MessageNotice.channel)', '\(MessageNotice.ready)' || queue)
                FROM (SELECT DISTINCT queue FROM back) AS queues
                """, parameters: parameters)
    }

    // ---- standing ----

    /// Of a session: all statements of a consumer have an index that serves them in order. By statistics that are older
    /// than a backlog PostgreSQL would read and sort all of it for each message taken. What is switched off counts as
    /// very expensive where there is no other way (the few that were taken are sorted), and what is expensive would be
    /// compiled first, each time anew.
    static var plans: Statement {
        let settings = ["enable_seqscan", "enable_bitmapscan", "enable_sort", "jit"].map {
            "set_config('\($0)', 'off', false)"
        }
        return Statement(sql: "SELECT \(settings.joined(separator: ", "))")
    }

    /// The second answers a row if the host is one now. What waits for the answer of an earlier session is over by then.
    /// - Parameters:
    ///   - isNew: it may have to be made.
    ///   - held: what is held; all else of this host goes back, as it is unknown here: the answer that brought it was lost.
    static func join(
        _ own: HostSession, isNew: Bool, queues: [String], times: HostTimes, acknowledged: [Int64], requeued: [Int64],
        held: [Int64]
    ) -> [Statement] {
        let lease = "clock_timestamp() + make_interval(secs => $3)"
        let standing: [Parameter] = [.long(own.host), .integer(own.session), .double(times.lease), .texts(queues)]
        let made = """
            INSERT INTO taskhost.host(id, session, lease_until, queues) VALUES ($1, $2, \(lease), $4::text[])
            ON CONFLICT (id) DO UPDATE SET session = EXCLUDED.session, lease_until = EXCLUDED.lease_until RETURNING id
            """
        let kept = """
            UPDATE taskhost.host SET session = $2, lease_until = \(lease), queues = $4::text[] WHERE id = $1 RETURNING id
            """
        let lock = Statement(
            sql: "SELECT FROM taskhost.host WHERE id = $1 FOR UPDATE", parameters: [.long(own.host)])
        var statements = [lock, Statement(sql: isNew ? made : kept, parameters: standing)]
        guard !isNew else { return statements }
        if !acknowledged.isEmpty { statements.append(acknowledge(acknowledged, own.host)) }
        if !requeued.isEmpty { statements.append(requeue(requeued, own)) }
        // A server that took over from another may have lost the last moments, in which they were taken.
        let again = """
            UPDATE taskhost.message SET state = 2, host = $1, deliveries = deliveries + 1
            WHERE id = ANY($3::int8[]) AND state = 0 AND \(isOwn)
            """
        let ours: [Parameter] = [.long(own.host), .integer(own.session), .longs(held)]
        statements.append(Statement(sql: again, parameters: ours))
        statements.append(
            back(
                """
                UPDATE taskhost.message SET state = 0, host = NULL
                WHERE host = $1 AND state = 2 AND id <> ALL($3::int8[]) AND \(isOwn)
                """, ours))
        return statements
    }

    /// Answers the number of rows: 0 if the host is none any more.
    static func renew(_ own: HostSession, queues: [String], times: HostTimes) -> Statement {
        Statement(
            sql: """
                UPDATE taskhost.host SET lease_until = clock_timestamp() + make_interval(secs => $3), queues = $4::text[]
                WHERE id = $1 AND session = $2
                """,
            parameters: [.long(own.host), .integer(own.session), .double(times.lease), .texts(queues)])
    }

    /// All that it holds goes back, and it is no host any more.
    static func leave(_ own: HostSession) -> [Statement] {
        [
            back("UPDATE taskhost.message SET state = 0, host = NULL WHERE host = $1 AND state = 2", [.long(own.host)]),
            Statement(sql: "DELETE FROM taskhost.host WHERE id = $1", parameters: [.long(own.host)]),
        ]
    }

    /// What of the messages it holds has started. It need not survive the server, only the host: no wait for the disk.
    static func note(started: [Int64], of host: Int64) -> [Statement] {
        [
            Statement(sql: "SELECT set_config('synchronous_commit', 'off', true)"),
            Statement(
                sql: "UPDATE taskhost.host SET started = $2::int8[] WHERE id = $1",
                parameters: [.long(host), .longs(started)]),
        ]
    }

    // ---- looking ----

    /// Answers what there is (`ready` and a queue, `due` and the seconds to the next delayed message, `lost` and the
    /// number of a host that has been silent for too long).
    static func poll(_ queues: [String]) -> Statement {
        Statement(
            sql: """
                SELECT 'ready', queue, 0::float8 FROM unnest($1::text[]) AS asked(queue)
                WHERE EXISTS (SELECT FROM taskhost.message WHERE message.queue = asked.queue AND state = 0)
                UNION ALL SELECT 'due', '', extract(epoch FROM min(due) - clock_timestamp())::float8
                FROM taskhost.message WHERE state = 1 AND isfinite(due) HAVING min(due) IS NOT NULL
                UNION ALL SELECT 'lost', id::text, 0::float8 FROM taskhost.host WHERE lease_until < clock_timestamp()
                """, parameters: [.texts(queues)])
    }

    /// Delayed messages whose time has come, of all queues: any host does it for all.
    static var promote: Statement {
        back(
            """
            UPDATE taskhost.message SET state = 0 WHERE id = ANY(ARRAY(SELECT id FROM taskhost.message
            WHERE state = 1 AND due <= clock_timestamp() ORDER BY due LIMIT 1000 FOR UPDATE SKIP LOCKED))
            """, [])
    }

    /// Takes away what a host held that is silent, if it still is. The first statement waits for what it has under way,
    /// the second one sees it. What had started has lost a start.
    static func takeOver(_ host: Int64) -> [Statement] {
        let isSilent = "id = $1 AND lease_until < clock_timestamp()"
        let lock = Statement(
            sql: "SELECT FROM taskhost.host WHERE \(isSilent) FOR UPDATE", parameters: [.long(host)])
        let sql = """
            WITH gone AS (DELETE FROM taskhost.host WHERE \(isSilent) RETURNING id, started),
            back AS (UPDATE taskhost.message SET state = 0, host = NULL,
            lost_starts = lost_starts + (message.id = ANY(gone.started))::int
            FROM gone WHERE message.host = gone.id AND state = 2 RETURNING queue)
            SELECT pg_notify('\(MessageNotice.channel)', '\(MessageNotice.ready)' || queue)
            FROM (SELECT DISTINCT queue FROM back) AS queues
            """
        return [lock, Statement(sql: sql, parameters: [.long(host)])]
    }

    /// What is held by a host without a row (it was removed) goes back.
    static var takeOverStray: Statement {
        back(
            """
            UPDATE taskhost.message SET state = 0, host = NULL WHERE state = 2 AND host = ANY(ARRAY(SELECT DISTINCT host
            FROM taskhost.message WHERE state = 2 AND NOT EXISTS (SELECT FROM taskhost.host WHERE host.id = message.host)))
            """, [])
    }
}
