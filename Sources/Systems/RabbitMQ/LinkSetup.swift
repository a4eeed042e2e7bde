// Work that waits for the broker's answers, done on short-lived threads: connecting and declaring.
import Ports
import TaskModel

/// What is to be known about a queue before it is consumed.
struct QueuePlan: Sendable {
    var declaration: QueueDeclaration
    /// nil: a task queue.
    var replyExpiresMilliseconds: Int64?
}

struct QueueFacts: Sendable {
    var name: String
    var outcome: Result<QueueSight, BrokerFailure>
}

enum LinkSetup {
    /// One refused queue does not keep the others from being served; a broken connection throws.
    static func declare(
        _ plans: [QueuePlan], over connection: AMQPConnection, _ options: RabbitMQOptions
    ) throws(BrokerFailure) -> [QueueFacts] {
        guard !plans.isEmpty else { return [] }
        var topology = Topology(connection, channel: 1, options: options)
        var hasLadder = false
        var facts: [QueueFacts] = []
        for plan in plans {
            do {
                if let expires = plan.replyExpiresMilliseconds {
                    let arguments: FieldTable = ["x-expires": .int(expires)]
                    try topology.declareQueue(plan.declaration.name, arguments: arguments, autoDelete: true)
                    let sight = QueueSight(kind: .classic, existed: false)
                    facts.append(QueueFacts(name: plan.declaration.name, outcome: .success(sight)))
                } else {
                    var sight = try topology.ensure(plan.declaration)
                    if sight.kind == .quorum,
                        let refusal = try openDelays(to: plan.declaration, &topology, hasLadder: &hasLadder)
                    {
                        sight.warnings.append(refusal)
                    }
                    facts.append(QueueFacts(name: plan.declaration.name, outcome: .success(sight)))
                }
            } catch  where error.isHopeless {
                facts.append(QueueFacts(name: plan.declaration.name, outcome: .failure(error)))
            }
        }
        try topology.end()
        return facts
    }

    /// Celery's clients publish what is due later to the ladder where their queues are quorum queues, and count on the
    /// worker for it to be there. Returns why it is not.
    private static func openDelays(
        to queue: QueueDeclaration, _ topology: inout Topology, hasLadder: inout Bool
    ) throws(BrokerFailure) -> String? {
        do throws(BrokerFailure) {
            if !hasLadder { try topology.ensureDelayLadder() }
            hasLadder = true
            try topology.ensureDelayExit(to: queue.name, key: queue.bindingKey)
            return nil
        } catch  where error.isHopeless {
            return "clients that let the broker delay messages to '\(queue.name)' will fail: \(error)"
        }
    }

    /// A connection of its own for one job, ended in good order.
    static func visit<Value>(
        _ address: RabbitMQAddress, duty: String, _ options: RabbitMQOptions,
        _ work: (AMQPConnection) throws(BrokerFailure) -> Value
    ) throws(BrokerFailure) -> Value {
        let connection = try AMQPConnection(to: address, duty: duty, options: options)
        let value = try work(connection)
        connection.close()
        return value
    }
}
