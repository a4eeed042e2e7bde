// Settling deliveries: noted in the ledger of their consumer, written out at the end of the turn.
import Ports
public import TaskModel

extension RabbitMQBroker {
    public func acknowledge(_ tag: DeliveryTag) {
        guard let (consumer, number) = link?.consumer(of: tag) else { return }
        if !consumer.ledger.acknowledge(number) {
            log(.warning, "delivery \(number) of '\(consumer.name)' was settled before")
        }
    }

    public func reject(_ tag: DeliveryTag, requeue: Bool) {
        guard let (consumer, number) = link?.consumer(of: tag) else { return }
        if !consumer.ledger.reject(number, requeue: requeue) {
            log(.warning, "delivery \(number) of '\(consumer.name)' was settled before")
        }
    }
}
