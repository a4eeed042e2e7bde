// Settling deliveries: noted in the ledger of their consumer, written out at the end of the turn.
import Ports
public import TaskModel

extension RabbitMQBroker {
    public func acknowledge(_ tag: DeliveryTag) {
        guard let link, let (consumer, number) = link.consumer(of: tag) else { return }
        guard consumer.ledger.acknowledge(number) else { return settledBefore(number, consumer) }
        link.owes(consumer)
    }

    public func reject(_ tag: DeliveryTag, requeue: Bool) {
        guard let link, let (consumer, number) = link.consumer(of: tag) else { return }
        guard consumer.ledger.reject(number, requeue: requeue) else { return settledBefore(number, consumer) }
        link.owes(consumer)
    }

    private func settledBefore(_ number: UInt64, _ consumer: QueueConsumer) {
        log(.warning, "delivery \(number) of '\(consumer.name)' was settled before")
    }
}
