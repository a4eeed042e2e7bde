// One queue we consume: what is wanted of it, and how far its channel has got.
import CRabbitMQ
import Ports
import TaskModel

/// Lives across links; each queue has a channel of its own, so that each has a credit of its own. On the loop.
final class QueueConsumer {
    enum Role {
        case tasks
        /// Results come here; delivered without acknowledgement. `expiresMilliseconds` without a consumer.
        case replies(expiresMilliseconds: Int64)
        /// Broadcasts of this exchange come here. Exclusive to the connection, which therefore declares it itself.
        case control(exchange: String)
        /// Events come here. Exclusive likewise.
        case events
    }

    enum Phase {
        /// No channel.
        case closed
        /// Channel open, not consuming.
        case idle
        case consuming
        case cancelling
    }

    let declaration: QueueDeclaration
    let role: Role
    var credit: Int
    /// Must be looked at, and declared if missing, before it can be consumed.
    var needsSetup = true
    /// Not to be looked at now: refused, or its time has not come.
    var isWaiting = false
    var kind = QueueDeclaration.Kind.classic
    /// Learned from a refusal; stronger than `kind`.
    var isKnownQuorum = false
    var backoff: Backoff
    private(set) var phase = Phase.closed
    private(set) var channel: UInt16 = 0
    private var isConfirmed = false
    private var sentPrefetch = 0
    /// Consumers begun so far. Each needs a tag of its own: a quorum queue takes one that comes again for the old one,
    /// and RabbitMQ 3.10 crashes the channel over it.
    private var consumers = 0
    private var tag: String { "taskhost-\(channel)-\(consumers)" }
    var ledger = AckLedger()
    var assembler = MessageAssembler()

    var name: String { declaration.name }
    /// Exclusive to the connection, and consumed to its very end.
    var isOwn: Bool {
        switch role {
        case .control, .events: true
        case .tasks, .replies: false
        }
    }
    /// The broker has said that it delivers.
    var isUp: Bool { phase == .consuming && isConfirmed }
    /// It will hear remote control on this link, or be refused it (another worker has its name).
    var isStillDeaf: Bool {
        if case .control = role { !isUp && !isWaiting } else { false }
    }
    /// Its first task on this link is still to come.
    var begins: Bool {
        if case .tasks = role { phase == .closed } else { false }
    }
    var isConsuming: Bool { phase == .consuming || phase == .cancelling }

    init(_ declaration: QueueDeclaration, role: Role, credit: Int, backoff: Backoff) {
        self.declaration = declaration
        self.role = role
        self.credit = credit
        self.backoff = backoff
        lookAgain()
    }

    /// The queue may have changed, or be gone.
    func lookAgain() { needsSetup = !isOwn }

    var plan: QueuePlan {
        var plan = QueuePlan(declaration: declaration)
        if case .replies(let expires) = role { plan.replyExpiresMilliseconds = expires }
        return plan
    }

    /// The channel is gone, and with it all that was delivered over it.
    func reset() {
        phase = .closed
        isConfirmed = false
        ledger = AckLedger()
        assembler = MessageAssembler()
    }

    /// The broker ended the consumer; what is held stays ours.
    func cancelledByBroker() {
        phase = .idle
        isConfirmed = false
        lookAgain()
    }

    func confirmed() {
        isConfirmed = true
        backoff.reset()
    }

    func cancelled() {
        guard phase == .cancelling else { return }
        phase = .idle
        isConfirmed = false
    }

    /// Sends what brings the broker's idea of us to what is wanted. `limit` 0 stops consuming.
    func reconcile(_ link: ConsumeLink, stopping: Bool) throws(BrokerFailure) {
        guard !needsSetup, !(isOwn && isWaiting) else { return }
        let wanted = stopping && !isOwn ? 0 : min(credit, 65535)
        if phase == .closed, wanted > 0 {
            channel = try link.openChannel(for: self)
            phase = .idle
        }
        switch phase {
        case .closed, .cancelling: return
        case .idle: if wanted > 0 { try start(link, wanted) }
        case .consuming:
            if wanted == 0 {
                try cancel(link)
            } else if isOwn {
                return
            } else if isAdjustable(link) {
                if wanted != sentPrefetch { try sendPrefetch(link, wanted, global: true) }
            } else if wanted > sentPrefetch {
                // Per-consumer prefetch holds from basic.consume on: a larger one needs a new consumer.
                try cancel(link)
            }
        }
    }

    /// Quorum queues and RabbitMQ from 4.0 on know no prefetch for a whole channel, which alone can be changed later.
    private func isAdjustable(_ link: ConsumeLink) -> Bool {
        kind == .classic && !isKnownQuorum && link.connection.brokerMajor < 4
    }

    private func start(_ link: ConsumeLink, _ wanted: Int) throws(BrokerFailure) {
        let adjustable = isAdjustable(link)
        var noAcknowledgement = true
        switch role {
        case .replies: break
        case .control(let exchange): try ControlQueue.receiver(name, on: exchange).declare(channel, link.connection)
        case .events: try EventExchange.receiver(name).declare(channel, link.connection)
        case .tasks:
            noAcknowledgement = false
            try sendPrefetch(link, adjustable ? wanted : max(wanted, sentPrefetch), global: adjustable)
        }
        consumers += 1
        let arena = link.connection.arena
        let consume = amqp_basic_consume_t(
            ticket: 0, queue: arena.bytes(name), consumer_tag: arena.bytes(tag), no_local: 0,
            no_ack: noAcknowledgement ? 1 : 0, exclusive: 0, nowait: 0, arguments: amqp_empty_table)
        try link.connection.send(channel, MethodID.basicConsume, consume, what: "consuming '\(name)'")
        arena.recycle()
        phase = .consuming
    }

    private func sendPrefetch(_ link: ConsumeLink, _ count: Int, global: Bool) throws(BrokerFailure) {
        let qos = amqp_basic_qos_t(prefetch_size: 0, prefetch_count: UInt16(count), global: global ? 1 : 0)
        try link.connection.send(channel, MethodID.basicQos, qos, what: "setting the prefetch of '\(name)'")
        sentPrefetch = count
    }

    private func cancel(_ link: ConsumeLink) throws(BrokerFailure) {
        let arena = link.connection.arena
        let cancel = amqp_basic_cancel_t(consumer_tag: arena.bytes(tag), nowait: 0)
        try link.connection.send(channel, MethodID.basicCancel, cancel, what: "ending the consumer of '\(name)'")
        arena.recycle()
        phase = .cancelling
        isConfirmed = false
    }

    /// Writes out the settlements owed.
    func flush(_ link: ConsumeLink) throws(BrokerFailure) {
        guard ledger.isDirty else { return }
        for frame in ledger.flush() {
            switch frame {
            case .ack(let tag, let multiple):
                let ack = amqp_basic_ack_t(delivery_tag: tag, multiple: multiple ? 1 : 0)
                try link.connection.send(channel, MethodID.basicAck, ack, what: "acknowledging")
            case .reject(let tag, let requeue):
                let reject = amqp_basic_reject_t(delivery_tag: tag, requeue: requeue ? 1 : 0)
                try link.connection.send(channel, MethodID.basicReject, reject, what: "rejecting")
            }
        }
    }
}
