// What waits in the table for its time.
public import Ports
import TaskModel

extension PostgreSQLBroker {
    public func scheduled(
        _ question: ScheduledQuestion, done: @escaping (Result<ScheduledMessages, BrokerFailure>) -> Void
    ) {
        // With ids all that is found is to be reported.
        let reporter = question.asker == .host && question.ids == nil ? consumer?.own.host : nil
        line.ask(ScheduledStatements.of(question, reporter: reporter)) { answer in
            done(
                answer.forBroker.map { rows in
                    var found = ScheduledMessages()
                    for queue in question.queues { found.counts[queue] = 0 }
                    for row in rows[0] {
                        let count: Int64 = row.integer(1) ?? 0
                        if let queue = row.text(0) { found.counts[queue] = Int(count) }
                    }
                    found.next = rows[1].compactMap(StoredMessage.init)
                        .sorted { ($0.due?.microseconds ?? 0, $0.id) < ($1.due?.microseconds ?? 0, $1.id) }
                        .map { item in
                            ScheduledMessage(
                                due: item.due ?? WallTime(microseconds: 0), queue: item.queue,
                                redelivered: item.deliveries > 0, message: item.message)
                        }
                    return found
                })
        }
    }
}

private enum ScheduledStatements {
    /// What one answer may hold, in bytes; a larger message goes alone.
    private static let longestAnswer = 4 << 20

    /// Counts by queue, and the soonest.
    /// - Parameter reporter: a host, which tells of the queues of which it is the oldest that lives; nil: of all.
    static func of(_ question: ScheduledQuestion, reporter: Int64?) -> [Statement] {
        var condition = "state = 1 AND queue = ANY($1::text[])"
        var parameters: [Parameter] = [.texts(question.queues)]
        if let ids = question.ids {
            condition += " AND (name = ANY($2::text[]) OR root = ANY($2::text[]))"
            parameters.append(.texts(ids.sorted()))
        } else if let reporter {
            condition += """
                 AND $2 = (SELECT host.id FROM taskhost.host WHERE message.queue = ANY(host.queues)
                AND lease_until > clock_timestamp() ORDER BY since, host.id LIMIT 1)
                """
            parameters.append(.long(reporter))
        }
        let count = "SELECT queue, count(*) FROM taskhost.message WHERE \(condition) GROUP BY queue"
        let next = """
            SELECT \(StoredMessage.columns) FROM (SELECT *,
            sum(octet_length(body) + octet_length(headers)) OVER (ORDER BY due, id) - octet_length(body)
            - octet_length(headers) AS before FROM (SELECT * FROM taskhost.message WHERE \(condition)
            ORDER BY due, id LIMIT \(max(0, question.limit))) AS soonest) AS summed WHERE before < \(longestAnswer)
            """
        return [Statement(sql: count, parameters: parameters), Statement(sql: next, parameters: parameters)]
    }
}
