// For whoever watches whether messages come.
public import Ports

extension RabbitMQBroker {
    /// What waits for its time is in other queues.
    public func deliverable(in queues: [String], done: @escaping (Result<[String: Int], BrokerFailure>) -> Void) {
        depths(of: queues, done: done)
    }

    public func consumeAnew(because reason: String) {
        link?.abandon(BrokerFailure(.closed, reason))
    }
}
