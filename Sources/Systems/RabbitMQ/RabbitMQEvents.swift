// Events for monitors over RabbitMQ: the topic exchange `celeryev`.
public import Ports
public import TaskModel

/// Leaves over the publishing connection, behind results and retries. On the loop.
public final class RabbitMQEvents: EventChannel {
    private let broker: RabbitMQBroker
    /// Not confirmed yet.
    private var underway = 0
    private var drops = false
    private var isClosed = false

    /// While the broker takes nothing, no more than so many messages wait; further ones are dropped.
    private static let maxUnderway = 256

    public init(broker: RabbitMQBroker) { self.broker = broker }

    public func publish(_ message: WireMessage, routingKey: String) {
        guard !isClosed else { return }
        guard underway < Self.maxUnderway else {
            if !drops {
                broker.log(.warning, "events for monitors are dropped: the broker does not take them fast enough")
            }
            drops = true
            return
        }
        underway += 1
        let destination = Publication.Destination.exchange(EventExchange.name, routingKey: routingKey)
        broker.publish(Publication(destination: destination, message: message)) { [weak self] failure in
            self?.decided(failure)
        }
    }

    public func close() { isClosed = true }

    private func decided(_ failure: BrokerFailure?) {
        underway -= 1
        if drops, underway < Self.maxUnderway / 2 { drops = false }
        // Unroutable: no monitor is there.
        guard let failure, failure.code != .unroutable, failure.code != .closed else { return }
        broker.log(.info, "an event was not sent: \(failure)")
    }
}

enum EventExchange {
    static let name = "celeryev"
}
