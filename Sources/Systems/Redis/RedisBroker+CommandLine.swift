// What the command line asks of the Redis broker: purge, and the dead letters.
public import Ports
import TaskModel

extension RedisBroker {
    public func purge(queue: String, done: @escaping (Result<Int, BrokerFailure>) -> Void) {
        let names = keys.lists(queue) + [keys.delayed(queue)]
        line.ask((["EVAL", BrokerScripts.purge, "\(names.count)"] + names).map(\.bytes)) { answer in
            done(answer.map { Int($0.integer ?? 0) }.brokerResult)
        }
    }

    public func depths(of queues: [String], done: @escaping (Result<[String: Int], BrokerFailure>) -> Void) {
        depths(of: queues, { keys.lists($0) + [keys.delayed($0)] }, done)
    }

    public func deliverable(in queues: [String], done: @escaping (Result<[String: Int], BrokerFailure>) -> Void) {
        depths(of: queues, keys.lists, done)
    }

    /// - Parameter names: of the keys that count, by queue.
    private func depths(
        of queues: [String], _ names: (String) -> [String],
        _ done: @escaping (Result<[String: Int], BrokerFailure>) -> Void
    ) {
        guard !queues.isEmpty else { return done(.success([:])) }
        var depths: [String: Int] = [:]
        var left = queues.count
        var failure: BrokerFailure?
        for queue in queues {
            let names = names(queue)
            line.ask((["EVAL", BrokerScripts.depth, "\(names.count)"] + names).map(\.bytes)) { answer in
                switch answer {
                case .success(let reply): depths[queue] = Int(reply.integer ?? 0)
                case .failure: failure = failure ?? answer.brokerFailure
                }
                left -= 1
                if left == 0 { done(failure.map(Result.failure) ?? .success(depths)) }
            }
        }
    }

    public func deadLetters(
        of queue: String, limit: Int, done: @escaping (Result<[DeadLetter], BrokerFailure>) -> Void
    ) {
        letters(of: queue, limit: limit) { done($0.map { $0.map(\.letter) }) }
    }

    public func settleDeadLetters(
        of queue: String, ids: Set<String>?, action: DeadLetterAction,
        done: @escaping (Result<Int, BrokerFailure>) -> Void
    ) {
        letters(of: queue, limit: nil) { [weak self] answer in
            guard let self, case .success(let found) = answer else { return done(answer.map(\.count)) }
            let wanted = found.filter { ids?.contains($0.letter.id) ?? true }
            guard !wanted.isEmpty else { return done(.success(0)) }
            var (left, settled) = (wanted.count, 0)
            var failure: BrokerFailure?
            for item in wanted {
                settle(item, action) { answer in
                    switch answer {
                    case .success(let reply): settled += Int(reply.integer ?? 0)
                    case .failure: failure = failure ?? answer.brokerFailure
                    }
                    left -= 1
                    if left == 0 { done(failure.map(Result.failure) ?? .success(settled)) }
                }
            }
        }
    }

    private struct Found {
        var letter: DeadLetter
        var envelope: [UInt8]
    }

    /// Oldest first; they are pushed on the left.
    private func letters(
        of queue: String, limit: Int?, done: @escaping (Result<[Found], BrokerFailure>) -> Void
    ) {
        let list = keys.list("\(queue).dead", step: 0)
        guard limit.map({ $0 > 0 }) ?? true else { return done(.success([])) }
        line.ask(["LRANGE", list, limit.map { "-\($0)" } ?? "0", "-1"].map(\.bytes)) { answer in
            let found = answer.map { reply in
                (reply.items ?? []).reversed().compactMap(\.bytes).map { envelope in
                    let delivery = RedisTaken(envelope: envelope)
                        .delivery(DeliveryTag(link: 0, number: 0), queue: queue)
                    let message = delivery.message
                    let id = message.headers["id"]?.text ?? message.properties.correlationID ?? "unreadable"
                    return Found(letter: DeadLetter(id: id, queue: queue, message: message), envelope: envelope)
                }
            }
            done(found.brokerResult)
        }
    }

    /// Done twice it does no harm: the second time the letter is gone.
    private func settle(
        _ item: Found, _ action: DeadLetterAction, done: @escaping (Result<RedisReply, StoreFailure>) -> Void
    ) {
        let origin = item.letter.message.queueBeforeDeath ?? item.letter.queue
        let message = item.letter.message.revived
        let step = RedisQueueKeys.step(message.properties.priority.map(Int64.init))
        let revived = action == .retry ? RedisEnvelope(message, routingKey: origin).bytes : []
        let names = [keys.list("\(item.letter.queue).dead", step: 0), keys.list(origin, step: step)]
        line.ask(["EVAL", BrokerScripts.settleDead, "2"].map(\.bytes) + names.map(\.bytes) + [item.envelope, revived]) {
            done($0)
        }
    }
}

extension Result where Failure == StoreFailure {
    var brokerResult: Result<Success, BrokerFailure> {
        switch self {
        case .success(let value): .success(value)
        case .failure: .failure(brokerFailure ?? .gone)
        }
    }
}
