// Redis as a broker, in the way of kombu's transport, so that Python's clients and workers share its queues.
import Glibc
public import Ports
public import TaskModel

/// Lists, envelopes and bindings are kombu's. Beyond it: a message is taken and recorded in one step, what we hold is
/// renewed however long we hold it, what a dead host held comes back within the lease, delayed messages wait in a
/// sorted set of their own, and dead letters in the list `<queue>.dead`.
///
/// Of priorities, Redis serves 0 first (RabbitMQ: 9); the property of a message is passed on as it is.
/// `expiration` is not enforced (the header `expires` is, by the worker that takes the message).
public final class RedisBroker: Broker {
    public var description: String { address.description }

    let line: RedisLine
    let keys: RedisQueueKeys
    private let address: RedisAddress
    private let loop: any EventLoop
    private let options: RedisBrokerOptions
    private(set) var events: (any BrokerEvents)?
    private var consumer: RedisConsumer?
    private let restorer: RedisRestorer
    private var wake: RedisWake?
    private var lookTimer: (any LoopTimer)?
    private var dueTimer: (any LoopTimer)?
    private var renewalTimer: (any LoopTimer)?
    private var wasUp = false
    private var isTracking = false
    private var isPromoting = false
    /// When the lease was asked for that we have, in seconds since boot.
    private var renewedAt: Double?
    /// Why Redis refuses what we do though the link is up, by what it is; empty: it refuses nothing.
    private var refusals: [Duty: String] = [:]
    private var hasConsumed = false

    private enum Duty { case fetching, settling, sweeping }

    /// Who we are among the hosts, also for those that hold nothing.
    var reporterName: String { consumer?.host ?? "closed" }

    private static let maxWaiting = 1_000_000
    private static let maxWaitingBytes = 256 << 20
    private static let closeSeconds = 5.0

    public init(address: RedisAddress, loop: any EventLoop, options: RedisBrokerOptions = RedisBrokerOptions()) {
        self.address = address
        self.loop = loop
        self.options = options
        keys = RedisQueueKeys(prefix: address.keyPrefix)
        line = RedisLine(
            address: address, loop: loop, maxWaiting: Self.maxWaiting, maxWaitingBytes: Self.maxWaitingBytes)
        restorer = RedisRestorer(
            line: line, keys: keys, visibilitySeconds: options.visibilitySeconds, leaseSeconds: options.leaseSeconds)
        consumer = RedisConsumer(line: line, keys: keys, restorer: restorer, loop: loop) { [weak self] event in
            self?.pass(event)
        }
    }

    public func connect(events: any BrokerEvents) {
        self.events = events
        loop.atTurnEnd { [weak self] in self?.consumer?.turnEnd() }
        line.connect { [weak self] event in self?.linkChanged(event) }
    }

    public func consume(_ queues: [QueueDeclaration]) {
        consumer?.consume(queues.map(\.name))
        guard wake == nil else { return promote() }
        let wake = RedisWake(line: line, loop: loop) { [weak self] keys in
            self?.changed(keys)
        } isTracking: { [weak self] isTracking in
            self?.isTracking = isTracking
        }
        self.wake = wake
        wake.connect()
        if line.isUp { beginConsuming() }
    }

    public func setCredit(_ credit: Int, queue: String) { consumer?.setCredit(credit, queue: queue) }

    public func acknowledge(_ tag: DeliveryTag) { consumer?.settle(tag, requeue: false) }

    /// What is rejected is gone, or first in its queue again.
    public func reject(_ tag: DeliveryTag, requeue: Bool) { consumer?.settle(tag, requeue: requeue) }

    public var countsLostStarts: Bool { true }
    public var fencesClaims: Bool { true }

    public func confirmClaim(_ tag: DeliveryTag, done: @escaping (Bool) -> Void) {
        guard let consumer, let name = consumer.heldTag(tag) else { return done(false) }
        if isLeaseCertain { return done(true) }
        line.ask(["HEXISTS", keys.unacked, name].map(\.bytes)) { answer in
            // Out of reach for good: nothing gets out any more, either.
            guard case .success(let reply) = answer else { return done(false) }
            done(reply.integer == 1)
        }
    }

    public func recordStarts(_ tags: [DeliveryTag], done: @escaping (BrokerFailure?) -> Void) {
        guard let consumer else { return done(.gone) }
        consumer.recordStarts(tags) { done($0.map(BrokerFailure.init)) }
    }

    public func publish(_ publication: Publication, done: @escaping (BrokerFailure?) -> Void) {
        switch publication.destination {
        case .queue(let queue): send(publication, exchange: "", key: queue.name, to: [queue.name], done)
        case .deadLetters(let queue): send(publication, exchange: "", key: queue, to: ["\(queue).dead"], done)
        case .exchange("", let key): send(publication, exchange: "", key: key, to: [key], done)
        case .exchange(RedisEvents.exchange, let key):
            let envelope = RedisEnvelope(publication.message, exchange: RedisEvents.exchange, routingKey: key).bytes
            line.ask(["PUBLISH".bytes, "\(RedisEvents.channel(address))/\(key)".bytes, envelope]) { answer in
                done(answer.brokerFailure)
            }
        case .exchange(let exchange, let key):
            line.ask(["SMEMBERS".bytes, keys.bindings(exchange).bytes]) { [weak self] answer in
                guard let self, case .success(let reply) = answer else { return done(answer.brokerFailure ?? .gone) }
                var queues = RedisQueueKeys.queues(reply.texts, routingKey: key)
                // The direct exchange that Celery gives to each queue needs no binding here.
                if queues.isEmpty, exchange == key { queues = [key] }
                guard !queues.isEmpty else {
                    return done(
                        BrokerFailure(
                            .unroutable, "No queue is bound to exchange \"\(exchange)\" for key \"\(key)\"",
                            fix: "Start a worker that consumes from it, or send to the queue itself"))
                }
                send(publication, exchange: exchange, key: key, to: queues, done)
            }
        }
    }

    public func stopConsuming(done: @escaping () -> Void) {
        guard let consumer else { return done() }
        consumer.stop(done: done)
    }

    /// Gives back what is held, but waits for Redis not for ever: our lease runs out by itself. Who has never reached
    /// it holds nothing there, and waits for nothing.
    public func close(done: @escaping () -> Void) {
        guard let consumer else { return done() }
        var isLeaving = false
        let leave = { [self] in
            guard !isLeaving else { return }
            isLeaving = true
            for timer in [lookTimer, dueTimer, renewalTimer] { timer?.cancel() }
            self.consumer = nil
            wake?.close()
            line.close()
            events = nil
            done()
        }
        guard wasUp else { return leave() }
        let limit = loop.schedule(afterSeconds: Self.closeSeconds, leave)
        consumer.stop {
            consumer.requeueAll { [self] in
                handOverAll(consumer.queues[...]) {
                    limit.cancel()
                    leave()
                }
            }
        }
    }

    private func send(
        _ publication: Publication, exchange: String, key: String, to queues: [String],
        _ done: @escaping (BrokerFailure?) -> Void
    ) {
        var claim: String?
        if let tag = publication.claim {
            claim = consumer?.heldTag(tag)
            guard claim != nil else { return done(.claimLost) }
        }
        var left = queues.count
        var failure: BrokerFailure?
        var step = RedisQueueKeys.step(publication.message.properties.priority.map(Int64.init))
        // In one list, so that they can be shown in their order.
        if case .deadLetters = publication.destination { step = 0 }
        for queue in queues {
            // A name of its own for each: it is what a worker files it under.
            let envelope = RedisEnvelope(publication.message, exchange: exchange, routingKey: key).bytes
            line.ask(words(publication.delaySeconds, queue, step, envelope, claim)) { answer in
                failure = failure ?? answer.brokerFailure
                if claim != nil, case .success(let reply) = answer, reply.integer == -1 { failure = .claimLost }
                left -= 1
                if left == 0 { done(failure) }
            }
        }
    }
}

extension RedisBroker {
    private func words(
        _ delaySeconds: Double, _ queue: String, _ step: Int, _ envelope: [UInt8], _ claim: String?
    ) -> [[UInt8]] {
        let list = keys.list(queue, step: step).bytes
        if let claim {
            return [
                "EVAL".bytes, BrokerScripts.sendClaimed.bytes, "3".bytes, keys.unacked.bytes, list,
                keys.delayed(queue).bytes, claim.bytes, "\(delaySeconds)".bytes, "\(step)".bytes, envelope,
            ]
        }
        guard delaySeconds > 0 else { return ["LPUSH".bytes, list, envelope] }
        return [
            "EVAL".bytes, BrokerScripts.delay.bytes, "1".bytes, keys.delayed(queue).bytes, "\(delaySeconds)".bytes,
            "\(step)".bytes + envelope,
        ]
    }

    /// Others take over no sooner than a lease after our last word; half of it is for clocks and for what is on its
    /// way.
    private var isLeaseCertain: Bool {
        renewedAt.map { Self.secondsSinceBoot() - $0 < options.leaseSeconds / 2 } ?? false
    }

    /// Of a clock that goes on while the process, or the machine, stands still; read each time, not once a turn.
    private static func secondsSinceBoot() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// There is no consumer at the server that could be lost: we ask.
    public func recreateConsumers(because reason: String) {
        consumer?.look()
        promote()
    }

    /// Between two looks at all the queues when no changes are reported to us, and when they are.
    private static let lookSeconds = (blind: 0.1, tracking: 1.0)

    private func linkChanged(_ event: RedisLine.Event) {
        switch event {
        case .up:
            if wasUp { events?.blocked(nil) } else { events?.linkUp() }
            wasUp = true
            consumer?.linkUp()
            if wake != nil { beginConsuming() }
        case .down(let reason, let seconds):
            // What we hold stays ours, so it is only that nothing comes and goes.
            if wasUp { events?.blocked(reason) } else { events?.linkDown(reason: reason, retryInSeconds: seconds) }
        case .refusing(let reason, _): events?.blocked(reason)
        case .refused(let failure):
            events?.fatal(BrokerFailure(.loginRefused, failure.detail, fix: failure.fix))
        }
    }

    private func pass(_ event: RedisConsumer.Event) {
        switch event {
        case .delivered(let delivery): events?.delivered(delivery)
        case .lost(let reason):
            renewedAt = nil
            note(nil, .settling)
            events?.linkDown(reason: reason, retryInSeconds: 0)
            if line.isUp { events?.linkUp() }
            // Its new name is to have a lease before anything is held under it for long.
            renew()
        case .fetchRefused(let text): judge(text)
        case .settlingRefused(let failure): note(failure, .settling)
        }
    }

    private func note(_ failure: StoreFailure?, _ duty: Duty) {
        let before = refusals[duty]
        refusals[duty] = failure?.detail
        if let failure {
            if before != failure.detail { events?.blocked(failure.description) }
        } else if before != nil, refusals.isEmpty {
            events?.blocked(nil)
        }
    }

    private func judge(_ reply: RedisReply) {
        if case .linkLost = reply { return }
        judge(reply.errorText)
    }

    /// An answer to one of the scripts by which we consume; nil: one that worked. A right that was missing from the
    /// start ends us as a wrong password does: else we would look well and take nothing. What comes later is reported,
    /// and waited for.
    private func judge(_ text: String?) {
        guard let text else {
            hasConsumed = true
            return note(nil, .fetching)
        }
        guard case .failed(let failure) = RedisErrorKind(text, at: address), refusals[.fetching] == nil else { return }
        if failure.code == .forbidden, !hasConsumed {
            refusals[.fetching] = failure.detail
            events?.fatal(BrokerFailure(.accessRefused, failure.detail, fix: failure.fix))
        } else {
            note(failure, .fetching)
        }
    }

    private func beginConsuming() {
        wake?.track()
        renew()
        look()
    }

    private func look() {
        lookTimer?.cancel()
        guard consumer?.isConsuming ?? false else { return }
        let seconds = isTracking ? Self.lookSeconds.tracking : Self.lookSeconds.blind
        lookTimer = loop.schedule(afterSeconds: seconds) { [weak self] in self?.look() }
        guard line.isUp else { return }
        consumer?.look()
        promote()
    }

    private func changed(_ names: [String]?) {
        guard let consumer else { return }
        guard let names else {
            consumer.look()
            return promote()
        }
        for queue in consumer.queues {
            if names.contains(where: keys.lists(queue).contains) { consumer.look(queue) }
            if names.contains(keys.delayed(queue)) { promote() }
        }
    }

    /// Delayed messages that are due join their queues; any host does it for all.
    private func promote() {
        guard let consumer, !consumer.queues.isEmpty, line.isUp, !isPromoting else { return }
        isPromoting = true
        let names = consumer.queues.flatMap { [keys.delayed($0)] + keys.lists($0) }
        line.send((["EVAL", BrokerScripts.promote, "\(names.count)"] + names).map(\.bytes)) { [weak self] reply in
            guard let self else { return }
            isPromoting = false
            judge(reply)
            dueTimer?.cancel()
            guard let text = reply.bytes, let seconds = Double(String(decoding: text, as: UTF8.self)) else { return }
            dueTimer = loop.schedule(afterSeconds: max(0, seconds)) { [weak self] in self?.promote() }
        }
    }

    /// Keeps our lease and the visibility of what we hold, and looks after what others lost.
    private func renew() {
        renewalTimer?.cancel()
        guard let consumer else { return }
        renewalTimer = loop.schedule(afterSeconds: options.renewalSeconds) { [weak self] in self?.renew() }
        guard line.isUp else { return }
        let host = consumer.host
        let words =
            [
                "EVAL", BrokerScripts.renew, "4", keys.index, keys.hosts, keys.lost(host), keys.served, host,
                "\(options.leaseSeconds)", RedisQueueKeys.served(consumer.queues),
            ]
            + consumer.heldTags
        let asked = Self.secondsSinceBoot()
        line.send(words.map(\.bytes)) { [weak self] reply in
            guard let self else { return }
            judge(reply)
            guard consumer.host == host else { return }
            if reply.integer == 0 { renewedAt = asked }
            guard reply.integer == 1 else { return }
            consumer.lose("the lease at \(address) ran out and others took over what was held")
        }
        consumer.recover()
        restorer.sweep { [weak self] failure in self?.note(failure, .sweeping) }
    }
}

extension BrokerFailure {
    init(_ failure: StoreFailure) {
        let code: Code =
            switch failure.code {
            case .unavailable: .unreachable
            case .refused: .loginRefused
            case .forbidden: failure.detail.contains(" key") ? .accessRefused : .unreachable
            case .unfit: .precondition
            }
        self.init(code, failure.detail, fix: failure.fix)
    }
}

extension Result where Failure == StoreFailure {
    var brokerFailure: BrokerFailure? {
        failure.map(BrokerFailure.init)
    }
}
