// For the watch that notices when no messages come.
public import Ports

extension RabbitMQBroker {
    /// What waits for its time is in other queues.
    public func deliverable(in queues: [String], done: @escaping (Result<[String: Int], BrokerFailure>) -> Void) {
        depths(of: queues, done: done)
    }

    /// Whether the broker has said that it delivers from this queue.
    func isConsuming(_ queue: String) -> Bool { consumers.contains { $0.name == queue && $0.isUp } }

    public func recreateConsumers(because reason: String) {
        link?.abandon(BrokerFailure(.closed, reason))
    }
}
