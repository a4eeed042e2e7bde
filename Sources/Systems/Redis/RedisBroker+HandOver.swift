// Delayed messages when no taskhost serves their queue any more: to where kombu's workers find them.
public import Ports

extension RedisBroker {
    public func handOver(queue: String, done: @escaping (Result<Int, BrokerFailure>) -> Void) {
        handOver(queue, soFar: 0, done)
    }

    /// At the end of a host, which is no longer among the hosts then. Another one that serves the queue keeps them.
    func handOverAll(_ queues: ArraySlice<String>, done: @escaping () -> Void) {
        guard let queue = queues.first else { return done() }
        handOver(queue: queue) { [self] answer in
            // What stays is promoted by the next host that serves the queue, or put there by hand.
            if case .failure(let failure) = answer, failure.code != .precondition {
                events?.blocked("delayed messages of queue \(queue) are not handed over: \(failure)")
            }
            handOverAll(queues.dropFirst(), done: done)
        }
    }

    private func handOver(
        _ queue: String, soFar: Int, _ done: @escaping (Result<Int, BrokerFailure>) -> Void
    ) {
        let names = [keys.hosts, keys.served, keys.delayed(queue)] + keys.lists(queue)
        let words = ["EVAL", BrokerScripts.handOver, "\(names.count)"] + names + [RedisQueueKeys.served([queue])]
        line.ask(words.map(\.bytes)) { [self] answer in
            switch answer {
            case .failure(let failure): done(.failure(BrokerFailure(failure)))
            case .success(let reply):
                switch reply.integer ?? 0 {
                case ..<0:
                    done(
                        .failure(
                            BrokerFailure(
                                .precondition, "a taskhost serves queue \(queue)",
                                fix: "Stop it: the last one that stops hands over what waits for its time")))
                case 0: done(.success(soFar))
                case let moved: handOver(queue, soFar: soFar + Int(moved), done)
                }
            }
        }
    }
}
