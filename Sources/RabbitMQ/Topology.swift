// Declaring queues and exchanges. Waits for answers: on threads of its own only.
import CRabbitMQ
import Ports
import TaskModel

/// Declares over one channel, opened anew whenever a refusal closed it. What exists is used as it is.
struct Topology {
    let connection: AMQPConnection
    let channel: UInt16
    let options: RabbitMQOptions
    private var isOpen = false

    init(_ connection: AMQPConnection, channel: UInt16, options: RabbitMQOptions) {
        self.connection = connection
        self.channel = channel
        self.options = options
    }

    /// A call on our channel; remembers when the broker closed it.
    mutating func call<Arguments: BitwiseCopyable>(
        _ method: UInt32, _ answer: UInt32, what: String, _ arguments: (Arena) -> Arguments
    ) throws(BrokerFailure) -> amqp_method_t {
        if !isOpen {
            try connection.openChannel(channel)
            isOpen = true
        }
        do {
            return try connection.call(channel, method, arguments(connection.arena), answer: answer, what: what)
        } catch {
            isOpen = false
            throw error
        }
    }

    /// Closes the channel; what it held unacknowledged goes back to its queue.
    mutating func end() throws(BrokerFailure) {
        if isOpen { try connection.closeChannel(channel) }
        isOpen = false
    }

    /// The number of messages ready, or nil: there is no such queue.
    mutating func depth(of queue: String) throws(BrokerFailure) -> Int? {
        do {
            let answer = try call(MethodID.queueDeclare, MethodID.queueDeclareOK, what: "queue '\(queue)'") { arena in
                amqp_queue_declare_t(
                    ticket: 0, queue: arena.bytes(queue), passive: 1, durable: 0, exclusive: 0, auto_delete: 0,
                    nowait: 0,
                    arguments: amqp_empty_table)
            }
            return Int(answer.decoded.assumingMemoryBound(to: amqp_queue_declare_ok_t.self).pointee.message_count)
        } catch  where error.code == .notFound {
            return nil
        }
    }

    mutating func declareQueue(
        _ name: String, arguments: FieldTable = [:], durable: Bool = true, autoDelete: Bool = false
    ) throws(BrokerFailure) {
        _ = try call(MethodID.queueDeclare, MethodID.queueDeclareOK, what: "declaring queue '\(name)'") { arena in
            amqp_queue_declare_t(
                ticket: 0, queue: arena.bytes(name), passive: 0, durable: durable ? 1 : 0, exclusive: 0,
                auto_delete: autoDelete ? 1 : 0, nowait: 0, arguments: arena.table(arguments))
        }
    }

    mutating func declareExchange(_ name: String, type: String, durable: Bool = true) throws(BrokerFailure) {
        _ = try call(MethodID.exchangeDeclare, MethodID.exchangeDeclareOK, what: "declaring exchange '\(name)'") {
            arena in
            amqp_exchange_declare_t(
                ticket: 0, exchange: arena.bytes(name), type: arena.bytes(type), passive: 0,
                durable: durable ? 1 : 0, auto_delete: 0, internal: 0, nowait: 0, arguments: amqp_empty_table)
        }
    }

    mutating func exchangeExists(_ name: String) throws(BrokerFailure) -> Bool {
        do {
            _ = try call(MethodID.exchangeDeclare, MethodID.exchangeDeclareOK, what: "exchange '\(name)'") { arena in
                amqp_exchange_declare_t(
                    ticket: 0, exchange: arena.bytes(name), type: arena.bytes("direct"), passive: 1, durable: 0,
                    auto_delete: 0, internal: 0, nowait: 0, arguments: amqp_empty_table)
            }
            return true
        } catch  where error.code == .notFound {
            return false
        }
    }

    mutating func bindQueue(_ queue: String, to exchange: String, key: String) throws(BrokerFailure) {
        _ = try call(MethodID.queueBind, MethodID.queueBindOK, what: "binding queue '\(queue)'") { arena in
            amqp_queue_bind_t(
                ticket: 0, queue: arena.bytes(queue), exchange: arena.bytes(exchange), routing_key: arena.bytes(key),
                nowait: 0, arguments: amqp_empty_table)
        }
    }

    private mutating func bindExchange(_ target: String, to source: String, key: String) throws(BrokerFailure) {
        _ = try call(MethodID.exchangeBind, MethodID.exchangeBindOK, what: "binding exchange '\(target)'") { arena in
            amqp_exchange_bind_t(
                ticket: 0, destination: arena.bytes(target), source: arena.bytes(source), routing_key: arena.bytes(key),
                nowait: 0, arguments: amqp_empty_table)
        }
    }

    mutating func purge(_ queue: String) throws(BrokerFailure) -> Int {
        let answer = try call(MethodID.queuePurge, MethodID.queuePurgeOK, what: "purging queue '\(queue)'") { arena in
            amqp_queue_purge_t(ticket: 0, queue: arena.bytes(queue), nowait: 0)
        }
        return Int(answer.decoded.assumingMemoryBound(to: amqp_queue_purge_ok_t.self).pointee.message_count)
    }

    // ---- what Celery's clients and we agree on ----

    /// The task queue, its kind if it can be told, and a warning when it is not what the operator asked for.
    mutating func ensure(_ queue: QueueDeclaration) throws(BrokerFailure) -> (QueueDeclaration.Kind, warning: String?) {
        if try depth(of: queue.name) != nil { return try inspect(queue) }
        var arguments = queue.arguments
        if queue.kind == .quorum { arguments["x-queue-type"] = .string("quorum") }
        if let priorities = queue.maxPriority { arguments["x-max-priority"] = .int(Int64(priorities)) }
        // A client may use an exchange of this name already, of its own type.
        let exchange = queue.exchange ?? queue.name
        if !(try exchangeExists(exchange)) { try declareExchange(exchange, type: queue.exchangeType ?? "direct") }
        try declareQueue(queue.name, arguments: arguments)
        try bindQueue(queue.name, to: exchange, key: queue.bindingKey)
        return (queue.kind ?? .classic, nil)
    }

    /// A queue's kind cannot be asked for over AMQP: declare it as quorum and read the refusal.
    private mutating func inspect(_ queue: QueueDeclaration) throws(BrokerFailure) -> (
        QueueDeclaration.Kind, warning: String?
    ) {
        var kind = queue.kind ?? .classic
        do {
            try declareQueue(queue.name, arguments: ["x-queue-type": .string("quorum")])
            kind = .quorum
        } catch  where error.code == .precondition {
            // Another argument may be refused before the type is looked at.
            let saysType = error.detail.contains("x-queue-type")
            kind = saysType ? .classic : kind
        }
        guard queue.isExplicit else { return (kind, nil) }
        return (kind, try difference(queue))
    }

    private mutating func difference(_ queue: QueueDeclaration) throws(BrokerFailure) -> String? {
        var arguments = queue.arguments
        if queue.kind == .quorum { arguments["x-queue-type"] = .string("quorum") }
        if let priorities = queue.maxPriority { arguments["x-max-priority"] = .int(Int64(priorities)) }
        guard !arguments.fields.isEmpty || queue.kind != nil else { return nil }
        do {
            try declareQueue(queue.name, arguments: arguments)
            return nil
        } catch  where error.code == .precondition {
            return
                "queue '\(queue.name)' exists with other settings than [queues.\(queue.name)] asks for and is used as it is. "
                + error.description
        }
    }

    mutating func ensureDeadLetters(of queue: String) throws(BrokerFailure) {
        let dead = QueueDeclaration(name: queue).deadQueueName
        try declareExchange(DeadLetters.exchange, type: "direct")
        if try depth(of: dead) == nil {
            let quorum: FieldTable = ["x-queue-type": .string("quorum")]
            try declareQueue(dead, arguments: options.deadQueueKind == .quorum ? quorum : [:])
        }
        try bindQueue(dead, to: DeadLetters.exchange, key: queue)
    }

    /// The ladder's queues are used as they are when a Celery client made them, of whichever kind.
    mutating func ensureDelayLadder() throws(BrokerFailure) {
        try declareExchange(DelayLadder.delivery, type: "topic")
        for level in 0...DelayLadder.top {
            let name = DelayLadder.level(level)
            try declareExchange(name, type: "topic")
            if try depth(of: name) == nil { try declareDelayQueue(level) }
            try bindQueue(name, to: name, key: DelayLadder.waitKey(level))
            try bindExchange(DelayLadder.next(after: level), to: name, key: DelayLadder.passKey(level))
        }
    }

    private mutating func declareDelayQueue(_ level: Int) throws(BrokerFailure) {
        let name = DelayLadder.level(level)
        do {
            try declareQueue(name, arguments: DelayLadder.queueArguments(level, kind: options.delayQueueKind))
        } catch  where error.code == .precondition && options.delayQueueKind == .quorum {
            // Before 3.10 quorum queues know no time to live.
            try declareQueue(name, arguments: DelayLadder.queueArguments(level, kind: .classic))
        }
    }

    /// - Parameter key: what senders put behind the digits.
    mutating func ensureDelayExit(to queue: String, key: String) throws(BrokerFailure) {
        try bindQueue(queue, to: DelayLadder.delivery, key: DelayLadder.exitKey(key))
    }
}

enum DeadLetters {
    static let exchange = "taskhost.dead"
}
