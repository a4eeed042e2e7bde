// The consuming connection while it is up: frames in, settlements out, on the loop, never waiting for the network.
import CRabbitMQ
import Ports
import TaskModel

protocol ConsumeLinkOwner: AnyObject {
    func link(_ link: ConsumeLink, delivered delivery: Delivery, from consumer: QueueConsumer)
    func link(_ link: ConsumeLink, lostConsumer consumer: QueueConsumer, because failure: BrokerFailure?)
    func linkBroke(_ link: ConsumeLink, because failure: BrokerFailure)
    /// Whether there is room for a task's body of so many bytes.
    func mayTake(bodyBytes: Int) -> Bool
    /// More is held of its queue than is wanted, and no more comes.
    func link(_ link: ConsumeLink, holdsTooMuchFrom consumer: QueueConsumer)
    /// A consumer was confirmed or has ended.
    func linkProgressed(_ link: ConsumeLink)
    /// Every consumer must be looked at by the next `flush`, though nothing has happened to it.
    func linkMustLook(_ link: ConsumeLink)
}

final class ConsumeLink {
    let number: UInt32
    let connection: AMQPConnection
    private unowned let owner: any ConsumeLinkOwner
    private let loop: any EventLoop
    private var watch: (any LoopWatch)?
    private var timer: (any LoopTimer)?
    /// A prefetch is too high, or too much is held, and that may last.
    private var watching: (any LoopTimer)?
    private var byChannel: [QueueConsumer?] = [nil]
    /// Channels up to this number are open already (`AMQPConnection.openSmallChannels`).
    private let opened: Int
    /// Consumers with settlements to be written out, each once: a host may have thousands that owe nothing.
    private var owing: [QueueConsumer] = []
    /// Channels that frames have come to since memory was given back, each once.
    private var touched: [UInt16] = []
    private var isTouched: [Bool] = []
    /// Since when the socket takes nothing.
    private var stuckSince: Instant?
    private var isOpen = true

    /// Shorter than the library's own interval for heartbeats, so that it never waits for room to send one.
    private var stuckLimitSeconds: Double { 2 * connection.tickSeconds * 0.9 }
    private static let framesBetweenReleases = 96
    /// About a thousand messages.
    private static let framesATurn = 4_096
    private static let bytesATurn = 8 << 20
    private var isPumpDue = false

    /// - Parameter opened: so many channels of the connection are open, and unused.
    init(
        _ number: UInt32, _ connection: AMQPConnection, opened: Int = 0, owner: any ConsumeLinkOwner,
        loop: any EventLoop
    ) {
        self.number = number
        self.opened = opened
        self.connection = connection
        self.owner = owner
        self.loop = loop
    }

    func start() {
        watch = loop.watch(connection.descriptor, for: .read) { [weak self] _ in self?.pump() }
        arm()
        pump()
    }

    /// Stops watching; the connection may then be closed by another thread.
    func detach() {
        isOpen = false
        watch?.cancel()
        timer?.cancel()
        watching?.cancel()
        byChannel = []
        owing = []
    }

    private func arm() {
        timer = loop.schedule(afterSeconds: connection.tickSeconds) { [weak self] in
            guard let self, self.isOpen else { return }
            self.arm()
            self.pump()
        }
    }

    /// As if it had broken. What is held goes back to its queues when the connection goes.
    func abandon(_ failure: BrokerFailure) { fail(failure) }

    private func fail(_ failure: BrokerFailure) {
        guard isOpen else { return }
        detach()
        owner.linkBroke(self, because: failure)
    }

    // ---- out ----

    func openChannel(for consumer: QueueConsumer) throws(BrokerFailure) -> UInt16 {
        guard byChannel.count <= Int(connection.channelMax) else {
            // Numbers are not used twice on one link, so that no old tag can meet a new channel.
            throw BrokerFailure(.closed, "all \(connection.channelMax) channels of this connection were used")
        }
        let channel = UInt16(byChannel.count)
        byChannel.append(consumer)
        if channel <= opened { return channel }
        try connection.send(
            channel, MethodID.channelOpen, amqp_channel_open_t(out_of_band: amqp_empty_bytes), what: "opening a channel"
        )
        return channel
    }

    func consumer(of tag: DeliveryTag) -> (QueueConsumer, UInt64)? {
        guard tag.link == number, case let channel = Int(tag.number >> 48), channel < byChannel.count,
            let consumer = byChannel[channel], consumer.channel == UInt16(channel)
        else { return nil }
        return (consumer, tag.number & 0xFFFF_FFFF_FFFF)
    }

    /// It has something to be written out.
    func owes(_ consumer: QueueConsumer) {
        guard !consumer.isOwing else { return }
        consumer.isOwing = true
        owing.append(consumer)
    }

    /// At the end of a turn: settlements, then changes of credit. Waits for the socket's readiness when it is full.
    /// - Parameter looking: something else than settlements may have changed, so that all consumers are looked at.
    /// - Returns: false: the socket is full, and nothing was done.
    func flush(_ consumers: [QueueConsumer], looking: Bool, stopping: Bool) -> Bool {
        guard isOpen else { return true }
        if !owing.isEmpty || stuckSince != nil {
            guard connection.isWritable else {
                stuck()
                return false
            }
            if stuckSince != nil {
                stuckSince = nil
                watch?.change(to: .read)
            }
        }
        let now = loop.clocks.monotonic
        do throws(BrokerFailure) {
            // Consumers that are to end do so first: what goes back must not come to us again.
            if looking {
                for consumer in consumers where stopping || consumer.credit == 0 {
                    try consumer.reconcile(self, stopping: stopping, at: now)
                }
            }
            try settle(now)
            guard looking else { return true }
            // Remote control is subscribed before the first task queue, or a revocation sent right after the first
            // result could be missed.
            let awaitsControl = consumers.contains { $0.awaitsControlSubscription }
            for consumer in consumers where !(awaitsControl && consumer.begins) {
                try consumer.reconcile(self, stopping: stopping, at: now)
            }
        } catch {
            fail(error)
            return true
        }
        if !stopping { lookForSurplus(consumers, now) }
        return true
    }

    private func settle(_ now: Instant) throws(BrokerFailure) {
        guard !owing.isEmpty else { return }
        for consumer in owing {
            consumer.isOwing = false
            // Its channel may have ended, and with it what was owed.
            try consumer.flush(self, at: now)
        }
        owing.removeAll(keepingCapacity: true)
    }

    private func lookForSurplus(_ consumers: [QueueConsumer], _ now: Instant) {
        for consumer in consumers where consumer.holdsTooMuch(at: now) {
            owner.link(self, holdsTooMuchFrom: consumer)
        }
        // What was under way when a prefetch was lowered still comes.
        let hasLowered = consumers.reduce(false) { $1.wasLowered() || $0 }
        guard watching == nil, hasLowered || consumers.contains(where: { $0.isWatching }) else { return }
        watching = loop.schedule(afterSeconds: ConsumerPrefetch.patienceSeconds * 1.05) { [weak self] in
            guard let self else { return }
            watching = nil
            owner.linkMustLook(self)
        }
    }

    private func stuck() {
        let now = loop.clocks.monotonic
        guard let since = stuckSince else {
            stuckSince = now
            watch?.change(to: [.read, .write])
            return
        }
        if now.seconds(since: since) > stuckLimitSeconds {
            fail(BrokerFailure(.closed, "\(connection.address): the broker reads nothing any more"))
        }
    }

    // ---- in ----

    /// What is left is read in the next turn: a broker that sends as fast as we read must not keep the loop. Where one read
    /// has emptied the socket another would only find that: two system calls.
    private func pump() {
        var frames = 0
        var bytes = 0
        while isOpen, frames == 0 || connection.hasUnreadInput {
            do throws(BrokerFailure) {
                guard let frame = try connection.nextFrame() else { break }
                if frame.frame_type == UInt8(AMQP_FRAME_BODY) { bytes += frame.payload.body_fragment.len }
                try take(frame)
            } catch {
                return fail(error)
            }
            frames += 1
            if frames >= Self.framesATurn || bytes >= Self.bytesATurn {
                if isOpen, !isPumpDue {
                    isPumpDue = true
                    loop.nextTurn { [weak self] in
                        self?.isPumpDue = false
                        self?.pump()
                    }
                }
                break
            }
            if frames % Self.framesBetweenReleases == 0, isOpen { release() }
        }
        if isOpen, frames > 0 { release() }
    }

    private func touch(_ channel: Int) {
        while isTouched.count <= channel { isTouched.append(false) }
        guard !isTouched[channel] else { return }
        isTouched[channel] = true
        touched.append(UInt16(channel))
    }

    /// Of those channels only: the library looks for each channel in a list.
    private func release() {
        guard connection.release(touched) else { return }
        for channel in touched { isTouched[Int(channel)] = false }
        touched.removeAll(keepingCapacity: true)
    }

    private func take(_ frame: amqp_frame_t) throws(BrokerFailure) {
        let channel = Int(frame.channel)
        touch(channel)
        if channel == 0 { return try takeConnectionFrame(frame) }
        guard channel < byChannel.count, let consumer = byChannel[channel] else { return }
        if frame.frame_type == UInt8(AMQP_FRAME_METHOD) { return try take(frame.payload.method, for: consumer) }
        guard
            let (envelope, message) = consumer.assembler.take(
                frame,
                mayTake: { [owner] size in
                    if case .tasks = consumer.role { owner.mayTake(bodyBytes: size) } else { true }
                })
        else { return }
        consumer.delivered(envelope.deliveryTag, at: loop.clocks.monotonic)
        let count = Self.deliveryCount(message, consumer)
        let tag = DeliveryTag(link: number, number: UInt64(channel) << 48 | envelope.deliveryTag)
        owner.link(
            self,
            delivered: Delivery(
                tag: tag, queue: consumer.name, exchange: envelope.exchange, routingKey: envelope.routingKey,
                redelivered: envelope.redelivered,
                deliveryCount: count, isNearLimit: count.map { consumer.isNearLimit($0) } ?? false, message: message,
                unreadBytes: consumer.assembler.unreadBytes),
            from: consumer)
    }

    /// Quorum queues count; a message not yet returned has no header. A classic queue's header would be a sender's.
    private static func deliveryCount(_ message: WireMessage, _ consumer: QueueConsumer) -> Int? {
        guard consumer.isQuorum else { return nil }
        guard case .int(let count)? = message.headers[BrokerHeaders.deliveryCount] else { return 0 }
        return Int(clamping: max(0, count))
    }

    private func takeConnectionFrame(_ frame: amqp_frame_t) throws(BrokerFailure) {
        guard frame.frame_type == UInt8(AMQP_FRAME_METHOD), frame.payload.method.id == MethodID.connectionClose else {
            return
        }
        let failure = BrokerFailure.closing(frame.payload.method, "\(connection.address)")
        try connection.send(0, MethodID.connectionCloseOK, amqp_connection_close_ok_t(), what: "closing")
        throw failure ?? BrokerFailure(.closed, "\(connection.address): closed by the broker")
    }

    private func take(_ method: amqp_method_t, for consumer: QueueConsumer) throws(BrokerFailure) {
        guard let decoded = method.decoded else { return }
        switch method.id {
        case MethodID.basicDeliver:
            consumer.assembler.begin(.init(decoded.assumingMemoryBound(to: amqp_basic_deliver_t.self).pointee))
        case MethodID.basicConsumeOK:
            consumer.confirmed(at: loop.clocks.monotonic)
            owner.linkProgressed(self)
        case MethodID.basicCancelOK:
            consumer.cancelled()
            owner.linkProgressed(self)
        case MethodID.basicCancel:
            consumer.cancelledByBroker(at: loop.clocks.monotonic)
            owner.link(self, lostConsumer: consumer, because: nil)
        case MethodID.channelClose:
            let failure = BrokerFailure.closing(method, "queue '\(consumer.name)'")
            try connection.confirmClose(of: consumer.channel)
            byChannel[Int(consumer.channel)] = nil
            consumer.reset()
            consumer.lookAgain()
            owner.link(self, lostConsumer: consumer, because: failure ?? BrokerFailure(.closed, "channel closed"))
        default: break
        }
    }
}
