// Declaring queues and exchanges. Waits for answers: on threads of its own only.
import CRabbitMQ
import Ports
import TaskModel

/// Declares over one channel, opened again whenever a refusal closed it. What exists is used as it is.
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
            return Int(try Self.declared(queue, answer).message_count)
        } catch  where error.code == .notFound {
            return nil
        }
    }

    /// RabbitMQ takes line breaks out of names: the queue that it declares or finds is then another one, and what is
    /// sent to the name as it was goes nowhere.
    private static func declared(
        _ name: String, _ answer: amqp_method_t
    ) throws(BrokerFailure) -> amqp_queue_declare_ok_t {
        let found = answer.decoded.assumingMemoryBound(to: amqp_queue_declare_ok_t.self).pointee
        guard found.queue.text == name else {
            throw BrokerFailure(
                .unsupported,
                "the broker takes the queue \(name.debugDescription) for \(found.queue.text.debugDescription)",
                fix: "Use a name without line breaks")
        }
        return found
    }

    mutating func declareQueue(
        _ name: String, arguments: FieldTable = [:], durable: Bool = true, autoDelete: Bool = false
    ) throws(BrokerFailure) {
        let answer = try call(MethodID.queueDeclare, MethodID.queueDeclareOK, what: "declaring queue '\(name)'") {
            arena in
            amqp_queue_declare_t(
                ticket: 0, queue: arena.bytes(name), passive: 0, durable: durable ? 1 : 0, exclusive: 0,
                auto_delete: autoDelete ? 1 : 0, nowait: 0, arguments: arena.table(arguments))
        }
        _ = try Self.declared(name, answer)
    }

    mutating func declareExchange(_ name: String, type: String, durable: Bool = true) throws(BrokerFailure) {
        _ = try call(MethodID.exchangeDeclare, MethodID.exchangeDeclareOK, what: "declaring exchange '\(name)'") {
            arena in
            amqp_exchange_declare_t(
                ticket: 0, exchange: arena.bytes(name), type: arena.bytes(type), passive: 0,
                durable: durable ? 1 : 0, auto_delete: 0, internal: 0, nowait: 0, arguments: amqp_empty_table)
        }
    }

    /// Fails as `notFound` when it is missing; asks for no right.
    mutating func requireExchange(_ name: String, what: String) throws(BrokerFailure) {
        _ = try call(MethodID.exchangeDeclare, MethodID.exchangeDeclareOK, what: what) { arena in
            amqp_exchange_declare_t(
                ticket: 0, exchange: arena.bytes(name), type: arena.bytes("direct"), passive: 1, durable: 0,
                auto_delete: 0, internal: 0, nowait: 0, arguments: amqp_empty_table)
        }
    }

    mutating func exchangeExists(_ name: String) throws(BrokerFailure) -> Bool {
        do {
            try requireExchange(name, what: "exchange '\(name)'")
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

    /// The task queue, as it is or as it was made, bound to its exchange as Celery's workers bind it.
    mutating func ensure(_ queue: QueueDeclaration) throws(BrokerFailure) -> QueueSight {
        guard try depth(of: queue.name) != nil else {
            let warning = try create(queue)
            return QueueSight(
                kind: try kindMade(of: queue), existed: false, warnings: warning.map { [$0] } ?? [])
        }
        var sight = try inspect(queue)
        if let refusal = try bindToExchange(queue) { sight.warnings.append(refusal) }
        return sight
    }

    /// For who only publishes: what exists is not looked at any further.
    mutating func ensureExists(_ queue: QueueDeclaration) throws(BrokerFailure) {
        if try depth(of: queue.name) == nil { _ = try create(queue) }
    }

    /// What is not as the operator asked for; nil: nothing.
    private mutating func create(_ queue: QueueDeclaration) throws(BrokerFailure) -> String? {
        // The default exchange leads to every queue, and takes no bindings.
        guard queue.exchange != "" else { return try declareNew(queue) }
        try ensureExchange(of: queue)
        let warning = try declareNew(queue)
        try bindQueue(queue.name, to: queue.exchange ?? queue.name, key: queue.bindingKey)
        return warning
    }

    /// A quorum queue, asked for or the virtual host's default, takes no `x-max-priority`: where it has priorities
    /// without, the argument is left out.
    private mutating func declareNew(_ queue: QueueDeclaration) throws(BrokerFailure) -> String? {
        do {
            try declareQueue(queue.name, arguments: queue.declaredArguments)
            return nil
        } catch  where queue.maxPriority != nil && PreconditionText.refusesPriority(error) {
            guard let priorities = connection.version.quorumPriorityText else {
                throw BrokerFailure(
                    .precondition, error.detail,
                    fix: "Leave max_priority out of [queues.\(queue.name)]: quorum queues have priorities from "
                        + "RabbitMQ 4.0 on; serve urgent work from a queue of its own, or make this one classic")
            }
            var plain = queue
            plain.maxPriority = nil
            try declareQueue(queue.name, arguments: plain.declaredArguments)
            return "queue '\(queue.name)' is declared without x-max-priority, which a quorum queue refuses; it has "
                + "priorities without: \(priorities). max_priority may be left out of [queues.\(queue.name)]"
        }
    }

    /// Without a type a queue becomes what is usual in its virtual host.
    private mutating func kindMade(of queue: QueueDeclaration) throws(BrokerFailure) -> QueueDeclaration.Kind {
        if let kind = queue.kind { return kind }
        return connection.brokerMajor < 4 ? .classic : try inspect(queue).kind
    }

    /// A client may use an exchange of this name already, of its own type.
    private mutating func ensureExchange(of queue: QueueDeclaration) throws(BrokerFailure) {
        let exchange = queue.exchange ?? queue.name
        if !(try exchangeExists(exchange)) { try declareExchange(exchange, type: queue.exchangeType ?? "direct") }
    }

    /// Others than Celery's clients declare a queue alone, and publish to its exchange all the same. Returns why it is
    /// not bound: messages that lie in the queue can be taken without.
    private mutating func bindToExchange(_ queue: QueueDeclaration) throws(BrokerFailure) -> String? {
        guard queue.exchange != "" else { return nil }
        do {
            try ensureExchange(of: queue)
            try bindQueue(queue.name, to: queue.exchange ?? queue.name, key: queue.bindingKey)
            return nil
        } catch  where error.isHopeless {
            return "queue '\(queue.name)' is used as it is, without a binding to exchange "
                + "'\(queue.exchange ?? queue.name)': what clients publish there may not reach it. \(error)"
        }
    }

    /// A queue's arguments cannot be asked for over AMQP: they are read in the broker's refusals.
    private mutating func inspect(_ queue: QueueDeclaration) throws(BrokerFailure) -> QueueSight {
        var sight = QueueSight(kind: queue.kind ?? .classic, existed: true)
        do {
            var found = try arguments(of: queue.name)
            if found.arguments["x-queue-type"] == nil, try isQuorumByDefault(queue.name) {
                found.arguments["x-queue-type"] = .string("quorum")
            }
            sight.learn(found)
            if queue.isExplicit, let difference = try difference(queue, sight.kind) {
                sight.warnings.append(difference)
            }
        } catch  where error.code == .accessRefused {
            // A user who may consume a queue need not be allowed to declare it; a wrong guess is corrected by the
            // broker.
        }
        return sight
    }

    /// Virtual hosts have a default type from 3.11 on, and before 4.0 a declaration without a type means that one.
    private mutating func isQuorumByDefault(_ queue: String) throws(BrokerFailure) -> Bool {
        guard connection.version.major == 3, connection.version.minor >= 11 else { return false }
        do {
            try declareQueue(queue, arguments: ["x-queue-type": .string("quorum")])
            return true
        } catch  where error.code == .precondition {
            return false
        }
    }

    private mutating func difference(
        _ queue: QueueDeclaration, _ kind: QueueDeclaration.Kind
    ) throws(BrokerFailure) -> String? {
        var asked = queue
        // Not an argument of a quorum queue; one that has its own priorities differs in nothing.
        if kind == .quorum { asked.maxPriority = nil }
        guard !asked.declaredArguments.fields.isEmpty || queue.kind != nil else { return nil }
        do {
            try declareQueue(queue.name, arguments: asked.declaredArguments)
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
            try declareDelayQueue(level)
            try bindQueue(name, to: name, key: DelayLadder.waitKey(level))
            try bindExchange(DelayLadder.next(after: level), to: name, key: DelayLadder.passKey(level))
        }
    }

    /// Not asked for before: the answer for each that is missing would be an error in the broker's log.
    private mutating func declareDelayQueue(_ level: Int) throws(BrokerFailure) {
        let name = DelayLadder.level(level)
        do {
            try declareQueue(name, arguments: DelayLadder.queueArguments(level, kind: options.delayQueueKind))
        } catch  where error.code == .precondition {
            if PreconditionText.current(error.detail) != nil { return }  // It exists, of another kind.
            guard options.delayQueueKind == .quorum else { throw error }
            // Before 3.10 quorum queues know no time to live.
            if try depth(of: name) == nil {
                try declareQueue(name, arguments: DelayLadder.queueArguments(level, kind: .classic))
            }
        }
    }

    /// - Parameter key: what senders put behind the digits.
    mutating func ensureDelayExit(to queue: String, key: String) throws(BrokerFailure) {
        try bindQueue(queue, to: DelayLadder.delivery, key: DelayLadder.exitKey(key))
    }
}

extension QueueDeclaration {
    /// With type and priorities.
    var declaredArguments: FieldTable {
        var all = arguments
        if kind == .quorum { all["x-queue-type"] = .string("quorum") }
        if let maxPriority { all["x-max-priority"] = .int(Int64(maxPriority)) }
        return all
    }
}

extension PreconditionText {
    static func refusesPriority(_ failure: BrokerFailure) -> Bool {
        failure.code == .precondition && failure.detail.contains("invalid arg 'x-max-priority'")
    }
}

enum DeadLetters {
    static let exchange = "taskhost.dead"
}
