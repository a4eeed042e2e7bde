// A message that Redis handed out: read, or marked so that it is refused with a reason.
import TaskModel
import TaskhostJSON

struct RedisTaken {
    private let envelope: Result<RedisEnvelope, RedisEnvelope.Unreadable>
    private let raw: [UInt8]

    init(envelope bytes: [UInt8]) {
        raw = bytes
        do throws(RedisEnvelope.Unreadable) {
            envelope = .success(try RedisEnvelope(parsing: bytes))
        } catch {
            envelope = .failure(error)
        }
    }

    func delivery(_ tag: DeliveryTag, queue: String) -> Delivery {
        switch envelope {
        case .success(let envelope):
            Delivery(
                tag: tag, queue: queue, exchange: envelope.exchange, routingKey: envelope.routingKey,
                redelivered: envelope.redelivered, lostStarts: envelope.lostStarts, message: envelope.message)
        case .failure(let problem):
            Delivery(
                tag: tag, queue: queue, exchange: "", routingKey: queue, redelivered: false,
                message: WireMessage(headers: [OwnHeaders.adapterError: .string(problem.reason)], body: raw))
        }
    }

    /// What the hash of unacknowledged messages holds: `[envelope, exchange, routing key]`.
    struct Entry {
        let envelope: JSON
        let exchange: String
        let routingKey: String

        init?(_ bytes: [UInt8]) {
            do throws(RedisEnvelope.Unreadable) {
                guard case .array(let items) = try RedisEnvelope.parse(bytes), items.count == 3,
                    let exchange = items[1].text, let routingKey = items[2].text
                else { return nil }
                envelope = items[0]
                self.exchange = exchange
                self.routingKey = routingKey
            } catch {
                return nil
            }
        }
    }
}
