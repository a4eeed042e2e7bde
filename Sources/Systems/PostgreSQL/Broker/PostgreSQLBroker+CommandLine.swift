// What the command line asks of the broker: depths, purge, dead letters, and what waits for its time.
public import Ports
import TaskModel

extension PostgreSQLBroker {
    /// Dead letters that are settled in one transaction.
    private static let partSize = 200

    public func purge(queue: String, done: @escaping (Result<Int, BrokerFailure>) -> Void) {
        line.ask([MessageStatements.purge(queue)]) { done($0.forBroker.map { $0[0].changed }) }
    }

    public func depths(of queues: [String], done: @escaping (Result<[String: Int], BrokerFailure>) -> Void) {
        count(MessageStatements.count(queues, states: "0, 1"), done)
    }

    public func deliverable(in queues: [String], done: @escaping (Result<[String: Int], BrokerFailure>) -> Void) {
        // Asked every few seconds: whether there are some is what matters, not how many.
        count(MessageStatements.count(queues, states: "0", most: 10_000), done)
    }

    private func count(
        _ statement: Statement, _ done: @escaping (Result<[String: Int], BrokerFailure>) -> Void
    ) {
        line.ask([statement]) { answer in
            done(
                answer.forBroker.map { rows in
                    var counts: [String: Int] = [:]
                    for row in rows[0] { counts[row.text(0) ?? ""] = (row.integer(1) as Int64?).map(Int.init) }
                    return counts
                })
        }
    }

    public func deadLetters(
        of queue: String, limit: Int, done: @escaping (Result<[DeadLetter], BrokerFailure>) -> Void
    ) {
        line.ask([MessageStatements.dead(of: queue, ids: nil, after: 0, limit: limit)]) { answer in
            done(
                answer.forBroker.map { rows in
                    rows[0].compactMap(StoredMessage.init).map { item in
                        DeadLetter(id: item.deadLetterID, queue: queue, message: item.message)
                    }
                })
        }
    }

    public func settleDeadLetters(
        of queue: String, ids: Set<String>?, action: DeadLetterAction,
        done: @escaping (Result<Int, BrokerFailure>) -> Void
    ) {
        settle(DeadSettlement(queue: queue, ids: ids, action: action), done)
    }

    private struct DeadSettlement {
        let queue: String
        let ids: Set<String>?
        let action: DeadLetterAction
        /// Up to this row it is done.
        var after: Int64 = 0
        var count = 0
    }

    /// A part after the other.
    private func settle(_ settlement: DeadSettlement, _ done: @escaping (Result<Int, BrokerFailure>) -> Void) {
        let find = MessageStatements.dead(
            of: settlement.queue, ids: settlement.ids, after: settlement.after, limit: Self.partSize)
        line.ask([find]) { [weak self] answer in
            switch answer.forBroker {
            case .failure(let failure): done(.failure(failure))
            case .success(let rows):
                let found = rows[0].compactMap(StoredMessage.init)
                guard let self, let last = found.last else { return done(.success(settlement.count)) }
                settle(found, upTo: last.id, settlement, done)
            }
        }
    }

    private func settle(
        _ found: [StoredMessage], upTo last: Int64, _ settlement: DeadSettlement,
        _ done: @escaping (Result<Int, BrokerFailure>) -> Void
    ) {
        var revived: [NewMessage]?
        do throws(BrokerFailure) {
            if settlement.action == .retry {
                var made: [NewMessage] = []
                for item in found { made.append(try item.revived()) }
                revived = made
            }
        } catch {
            return done(.failure(error))
        }
        line.ask(MessageStatements.settleDead(found.map(\.id), revived: revived)) { [weak self] answer in
            switch answer.forBroker {
            case .failure(let failure): done(.failure(failure))
            case .success(let rows):
                var next = settlement
                next.after = last
                next.count += rows[0].changed
                guard let self, found.count == Self.partSize else { return done(.success(next.count)) }
                settle(next, done)
            }
        }
    }
}

extension StoredMessage {
    /// As it was before it died: our headers, which count its starts and tell its story, are gone.
    fileprivate func revived() throws(BrokerFailure) -> NewMessage {
        try NewMessage(queue: message.queueBeforeDeath ?? queue, message: message.revived)
    }
}
