// What the command line asks of the embedded broker: purge, and the dead letters.
public import Ports
import TaskModel

extension SQLiteBroker {
    public func purge(queue: String, done: @escaping (Result<Int, BrokerFailure>) -> Void) {
        file.submit(.write) { db in
            try MessageRows.purge(queue, in: db)
        } done: { result in
            done(result.mapError(\.asBrokerFailure))
        }
    }

    public func depths(of queues: [String], done: @escaping (Result<[String: Int], BrokerFailure>) -> Void) {
        file.submit(.read) { db in
            var depths: [String: Int] = [:]
            for queue in queues { depths[queue] = try MessageRows.waiting(queue, in: db) }
            return depths
        } done: { result in
            done(result.mapError(\.asBrokerFailure))
        }
    }

    public func deliverable(in queues: [String], done: @escaping (Result<[String: Int], BrokerFailure>) -> Void) {
        file.submit(.read) { db in
            var counts: [String: Int] = [:]
            for queue in queues { counts[queue] = try MessageRows.ready(queue, in: db) }
            return counts
        } done: { result in
            done(result.mapError(\.asBrokerFailure))
        }
    }

    public func deadLetters(
        of queue: String, limit: Int, done: @escaping (Result<[DeadLetter], BrokerFailure>) -> Void
    ) {
        file.submit(.read) { db in
            try MessageRows.dead(of: queue, limit: limit, in: db).map { row in
                DeadLetter(id: row.deadLetterID, queue: queue, message: row.message())
            }
        } done: { result in
            done(result.mapError(\.asBrokerFailure))
        }
    }

    public func settleDeadLetters(
        of queue: String, ids: Set<String>?, action: DeadLetterAction,
        done: @escaping (Result<Int, BrokerFailure>) -> Void
    ) {
        file.submit(.announcedWrite) { db in
            var count = 0
            for row in try MessageRows.dead(of: queue, limit: -1, in: db) {
                guard ids?.contains(row.deadLetterID) ?? true else { continue }
                if action == .retry {
                    try MessageRows.insert(row.revived(), now: wallTime(), in: db)
                }
                try MessageRows.delete(row.id, in: db)
                count += 1
            }
            return count
        } done: { result in
            done(result.mapError(\.asBrokerFailure))
        }
    }
}

extension StoredMessage {
    var deadLetterID: String { name ?? "message-\(id)" }

    /// As it was before it died: our headers, which count its starts and tell its story, are gone.
    fileprivate func revived() -> NewMessage {
        let message = message()
        return NewMessage(queue: message.queueBeforeDeath ?? queue, message: message.revived)
    }
}
