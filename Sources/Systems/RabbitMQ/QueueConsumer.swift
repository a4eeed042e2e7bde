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
    private(set) var sight: QueueSight
    /// Learned from a refusal; stronger than what was seen.
    var isKnownQuorum = false
    /// Its refusal was reported; it is tried again all the same.
    var hasReportedRefusal = false
    var backoff: Backoff
    private(set) var phase = Phase.closed
    private(set) var channel: UInt16 = 0
    private var isConfirmed = false
    private var prefetch = ConsumerPrefetch()
    /// Since when the broker has been delivering.
    private var upSince: Instant?
    /// Consumers begun so far. Each needs a tag of its own: a quorum queue takes one that comes again for the old one,
    /// and RabbitMQ 3.10 crashes the channel over it.
    private var consumers = 0
    private var tag: String { "taskhost-\(channel)-\(consumers)" }
    var ledger = AckLedger()
    /// Its link has noted that it owes settlements.
    var isOwing = false
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
    var isQuorum: Bool { sight.kind == .quorum || isKnownQuorum }
    /// The broker would soon drop a message that came back so often.
    func isNearLimit(_ returns: Int) -> Bool { sight.maxReturns.map { returns >= $0 } ?? false }
    /// It must be looked at again soon, even if nothing happens.
    var isWatching: Bool { prefetch.isWatching }
    /// Whether its prefetch was lowered since this was asked last.
    func wasLowered() -> Bool { prefetch.wasLowered() }
    /// It will hear remote control on this link, or be refused it (another worker has its name).
    var awaitsControlSubscription: Bool {
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
        sight = QueueSight(kind: declaration.kind ?? .classic, existed: false)
        lookAgain()
    }

    /// The queue may have changed, or be gone.
    func lookAgain() { needsSetup = !isOwn }

    func seen(_ sight: QueueSight) {
        self.sight = sight
        needsSetup = false
    }

    /// Why the broker ended the consumer, as far as a second look at the queue shows it; nil: unknown.
    func reasonOfEnd() -> String? {
        guard let end else { return nil }
        self.end = nil
        guard sight.existed else { return "it had been deleted, and is declared again" }
        guard isQuorum, let held = end.heldSeconds, held > Self.longSeconds else { return nil }
        return
            "it is there, and a message of it has been unacknowledged for \(Int(held)) s: that is probably longer than "
            + "the broker's consumer_timeout. \(PreconditionText.timeoutFix)"
    }

    var plan: QueuePlan {
        var plan = QueuePlan(declaration: declaration)
        if case .replies(let expires) = role { plan.replyExpiresMilliseconds = expires }
        return plan
    }

    /// The least that a broker looks for is a minute.
    private static let longSeconds = 55.0

    private struct End {
        /// How long the oldest unsettled delivery had been held, at least.
        var heldSeconds: Double?
    }
    private var end: End?
    private var oldestSince: Instant?

    func delivered(_ tag: UInt64, at now: Instant) {
        if ledger.unsettled == 0 { oldestSince = now }
        ledger.delivered(tag)
    }

    /// The channel is gone, and with it all that was delivered over it.
    func reset() {
        phase = .closed
        isConfirmed = false
        prefetch.reset()
        ledger = AckLedger()
        isOwing = false
        assembler = MessageAssembler()
    }

    /// The broker ended the consumer, and may have taken back what we hold.
    func cancelledByBroker(at now: Instant) {
        end = End(heldSeconds: ledger.unsettled > 0 ? oldestSince.map { now.seconds(since: $0) } : nil)
        phase = .idle
        isConfirmed = false
        lookAgain()
    }

    func confirmed(at now: Instant) {
        isConfirmed = true
        hasReportedRefusal = false
        upSince = now
    }

    private static let steadySeconds = 10.0

    /// Seconds until the next attempt, after it was lost. Grows unless it had been up for a while: a broker may accept
    /// a consumer and end it at once, again and again.
    func pauseSeconds(at now: Instant) -> Double {
        if let since = upSince, now.seconds(since: since) > Self.steadySeconds { backoff.reset() }
        upSince = nil
        return backoff.next()
    }

    func cancelled() {
        guard phase == .cancelling else { return }
        phase = .idle
        isConfirmed = false
    }

    /// Sends what brings the broker's idea of us to what is wanted. Credit 0 stops consuming.
    func reconcile(_ link: ConsumeLink, stopping: Bool, at now: Instant) throws(BrokerFailure) {
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
            if wanted == 0 { return try cancel(link) }
            guard hasPrefetch else { return }
            switch prefetch.step(wanted: wanted, isAdjustable: isAdjustable(link), at: now) {
            case .keep: return
            case .send(let count): try sendPrefetch(link, count, global: true)
            case .renew: try cancel(link)
            }
        }
    }

    /// What is held beyond the credit, for longer than it takes to work it off.
    func holdsTooMuch(at now: Instant) -> Bool {
        guard hasPrefetch, isUp, credit > 0 else { return false }
        return prefetch.holdsTooMuch(ledger.unsettled, wanted: min(credit, 65535), at: now)
    }

    /// What needs no acknowledgement is not held back by any prefetch.
    private var hasPrefetch: Bool {
        if case .tasks = role { true } else { false }
    }

    /// Quorum queues and RabbitMQ from 4.0 on know no prefetch for a whole channel, which alone can be changed later.
    private func isAdjustable(_ link: ConsumeLink) -> Bool {
        !isQuorum && link.connection.brokerMajor < 4
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
            try sendPrefetch(link, wanted, global: adjustable)
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
        prefetch.sent(count)
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
    func flush(_ link: ConsumeLink, at now: Instant) throws(BrokerFailure) {
        guard ledger.isDirty else { return }
        let oldest = ledger.oldest
        defer { if ledger.oldest != oldest { oldestSince = now } }
        for frame in ledger.flush() {
            switch frame {
            case .ack(let tag, let multiple):
                let ack = amqp_basic_ack_t(delivery_tag: tag, multiple: multiple ? 1 : 0)
                try link.connection.send(channel, MethodID.basicAck, ack, what: "acknowledging")
            case .reject(let tag, requeue: true):
                // From 4.3 on this does not count as a failed delivery; basic.reject does.
                let nack = amqp_basic_nack_t(delivery_tag: tag, multiple: 0, requeue: 1)
                try link.connection.send(channel, MethodID.basicNack, nack, what: "giving back")
            case .reject(let tag, let requeue):
                let reject = amqp_basic_reject_t(delivery_tag: tag, requeue: requeue ? 1 : 0)
                try link.connection.send(channel, MethodID.basicReject, reject, what: "rejecting")
            }
        }
    }
}
