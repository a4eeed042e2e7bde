// What is known of a queue once it was looked at, or made.
import Ports
import TaskModel

struct QueueSight: Sendable {
    var kind: QueueDeclaration.Kind
    /// Not made by us just now.
    var existed: Bool
    /// Of a quorum queue; nil: it names none.
    var deliveryLimit: Int?
    /// What it gives up goes to an exchange of its user's choice.
    var hasDeadLetterExchange = false
    /// What is not as the operator asked for.
    var warnings: [String] = []

    mutating func learn(_ found: RabbitMQExamination.Found) {
        kind = found.isQuorum ? .quorum : .classic
        if case .int(let limit)? = found.arguments["x-delivery-limit"] { deliveryLimit = Int(clamping: limit) }
        hasDeadLetterExchange = found.arguments["x-dead-letter-exchange"] != nil
    }

    /// A message returned so often is published again, or the broker would drop it; nil: it is left to the broker.
    var maxReturns: Int? {
        guard kind == .quorum else { return nil }
        // A queue with a limit and an exchange for what is beyond it wants it there.
        if let deliveryLimit, deliveryLimit >= 0, hasDeadLetterExchange { return nil }
        // Without one of its own: 20 from RabbitMQ 4.0 on, or a policy's, which AMQP does not show.
        guard let deliveryLimit, deliveryLimit >= 0 else { return Self.usualReturns }
        return max(1, min(Self.usualReturns, deliveryLimit / 2))
    }

    static let usualReturns = 10
}
