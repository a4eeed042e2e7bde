// Redis as a broker, in the way of kombu's transport, so that Python's clients and workers share its queues.
import Foundation
public import Ports
public import TaskModel

/// Lists, envelopes and bindings are kombu's. Beyond it: a message is taken and recorded in one step, what we hold is
/// renewed however long we hold it, what a dead host held comes back within the lease, delayed messages wait in a
/// sorted set of their own, and dead letters in the list `<queue>.dead`.
///
/// Of priorities, Redis serves 0 first (RabbitMQ: 9); the property of a message is passed on as it is.
/// `expiration` is not enforced (the header `expires` is, by whoever takes the message).
public final class RedisBroker: Broker {
    public var description: String { address.description }

    let line: RedisLine
    let keys: RedisQueueKeys
    private let address: RedisAddress
    private let loop: any EventLoop
    private let options: RedisBrokerOptions
    private var events: (any BrokerEvents)?
    private var desk: RedisDesk?
    private let restorer: RedisRestorer
    private var wake: RedisWake?
    private var lookTimer: (any LoopTimer)?
    private var dueTimer: (any LoopTimer)?
    private var renewalTimer: (any LoopTimer)?
    private var wasUp = false
    private var isTracking = false
    private var isPromoting = false

    private static let maxWaiting = 1_000_000
    private static let closeSeconds = 5.0

    public init(address: RedisAddress, loop: any EventLoop, options: RedisBrokerOptions = RedisBrokerOptions()) {
        self.address = address
        self.loop = loop
        self.options = options
        keys = RedisQueueKeys(prefix: address.keyPrefix)
        line = RedisLine(address: address, loop: loop, maxWaiting: Self.maxWaiting)
        restorer = RedisRestorer(line: line, keys: keys, visibilitySeconds: options.visibilitySeconds)
        desk = RedisDesk(line: line, keys: keys, restorer: restorer) { [weak self] news in self?.pass(news) }
    }

    public func connect(events: any BrokerEvents) {
        self.events = events
        loop.atTurnEnd { [weak self] in self?.desk?.turnEnd() }
        line.connect { [weak self] news in self?.heard(news) }
    }

    public func consume(_ queues: [QueueDeclaration]) {
        desk?.consume(queues.map(\.name))
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

    public func setCredit(_ credit: Int, queue: String) { desk?.setCredit(credit, queue: queue) }

    public func acknowledge(_ tag: DeliveryTag) { desk?.settle(tag, requeue: false) }

    /// What is rejected is gone, or first in its queue again.
    public func reject(_ tag: DeliveryTag, requeue: Bool) { desk?.settle(tag, requeue: requeue) }

    public func publish(_ publication: Publication, done: @escaping (BrokerFailure?) -> Void) {
        switch publication.destination {
        case .queue(let queue): send(publication, exchange: "", key: queue.name, to: [queue.name], done)
        case .deadLetters(let queue): send(publication, exchange: "", key: queue, to: ["\(queue).dead"], done)
        case .exchange("", let key): send(publication, exchange: "", key: key, to: [key], done)
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
        guard let desk else { return done() }
        desk.stop(done: done)
    }

    /// Gives back what is held, but waits for Redis not for ever: our lease runs out by itself.
    public func close(done: @escaping () -> Void) {
        guard let desk else { return done() }
        var isLeaving = false
        let leave = { [self] in
            guard !isLeaving else { return }
            isLeaving = true
            for timer in [lookTimer, dueTimer, renewalTimer] { timer?.cancel() }
            self.desk = nil
            wake?.close()
            line.close()
            events = nil
            done()
        }
        let limit = loop.schedule(afterSeconds: Self.closeSeconds, leave)
        desk.stop {
            desk.giveBack {
                limit.cancel()
                leave()
            }
        }
    }

    private func send(
        _ publication: Publication, exchange: String, key: String, to queues: [String],
        _ done: @escaping (BrokerFailure?) -> Void
    ) {
        var left = queues.count
        var failure: BrokerFailure?
        var step = RedisQueueKeys.step(publication.message.properties.priority.map(Int64.init))
        // In one list, so that they can be shown in their order.
        if case .deadLetters = publication.destination { step = 0 }
        for queue in queues {
            // A name of its own for each: it is what a worker files it under.
            let envelope = RedisEnvelope(publication.message, exchange: exchange, routingKey: key).bytes
            let words: [[UInt8]] =
                publication.delaySeconds > 0
                ? ["EVAL".bytes, BrokerScripts.delay.bytes, "1".bytes, keys.delayed(queue).bytes]
                    + ["\(publication.delaySeconds)".bytes, "\(step)".bytes + envelope]
                : ["LPUSH".bytes, keys.list(queue, step: step).bytes, envelope]
            line.ask(words) { answer in
                failure = failure ?? answer.brokerFailure
                left -= 1
                if left == 0 { done(failure) }
            }
        }
    }
}

extension RedisBroker {
    /// There is no consumer at the server that could be lost: we ask.
    public func consumeAnew(because reason: String) {
        desk?.look()
        promote()
    }

    /// Between two looks at all the queues when nobody tells us of changes, and when somebody does.
    private static let lookSeconds = (blind: 0.1, tracking: 1.0)

    private func heard(_ news: RedisLine.News) {
        switch news {
        case .up:
            if wasUp { events?.blocked(nil) } else { events?.linkUp() }
            wasUp = true
            desk?.linkUp()
            if wake != nil { beginConsuming() }
        case .down(let reason, let seconds):
            // What we hold stays ours, so it is only that nothing comes and goes.
            if wasUp { events?.blocked(reason) } else { events?.linkDown(reason: reason, retryInSeconds: seconds) }
        case .sick(let reason, _): events?.blocked(reason)
        case .refused(let failure):
            events?.fatal(BrokerFailure(.accessRefused, failure.detail, fix: failure.fix))
        }
    }

    private func pass(_ news: RedisDesk.News) {
        switch news {
        case .delivered(let delivery): events?.delivered(delivery)
        case .lost(let reason):
            events?.linkDown(reason: reason, retryInSeconds: 0)
            if line.isUp { events?.linkUp() }
        }
    }

    private func beginConsuming() {
        wake?.track()
        renew()
        look()
    }

    private func look() {
        lookTimer?.cancel()
        guard desk?.isConsuming ?? false else { return }
        let seconds = isTracking ? Self.lookSeconds.tracking : Self.lookSeconds.blind
        lookTimer = loop.schedule(afterSeconds: seconds) { [weak self] in self?.look() }
        guard line.isUp else { return }
        desk?.look()
        promote()
    }

    private func changed(_ names: [String]?) {
        guard let desk else { return }
        guard let names else {
            desk.look()
            return promote()
        }
        for lane in desk.lanes {
            if names.contains(where: keys.lists(lane.queue).contains) { desk.look(lane.queue) }
            if names.contains(keys.delayed(lane.queue)) { promote() }
        }
    }

    /// Delayed messages that are due join their queues; any host does it for all.
    private func promote() {
        guard let desk, !desk.lanes.isEmpty, line.isUp, !isPromoting else { return }
        isPromoting = true
        let names = desk.lanes.flatMap { [keys.delayed($0.queue)] + keys.lists($0.queue) }
        line.send((["EVAL", BrokerScripts.promote, "\(names.count)"] + names).map(\.bytes)) { [weak self] reply in
            guard let self else { return }
            isPromoting = false
            dueTimer?.cancel()
            guard let text = reply.bytes, let seconds = Double(String(decoding: text, as: UTF8.self)) else { return }
            dueTimer = loop.schedule(afterSeconds: max(0, seconds)) { [weak self] in self?.promote() }
        }
    }

    /// Keeps our lease and the visibility of what we hold, and looks after what others lost.
    private func renew() {
        renewalTimer?.cancel()
        guard let desk else { return }
        renewalTimer = loop.schedule(afterSeconds: options.renewalSeconds) { [weak self] in self?.renew() }
        guard line.isUp else { return }
        let host = desk.host
        let words =
            [
                "EVAL", BrokerScripts.renew, "3", keys.index, keys.hosts, keys.lost(host), host,
                "\(options.leaseSeconds)",
            ]
            + desk.heldTags
        line.send(words.map(\.bytes)) { [weak self] reply in
            guard let self, reply.integer == 1, desk.host == host else { return }
            desk.lose("the lease at \(address) ran out and others took over what was held")
            renew()
        }
        desk.recover()
        restorer.sweep()
    }
}

extension BrokerFailure {
    static let gone = BrokerFailure(.closed, "The broker was closed before it was done")
}

extension Result where Failure == StoreFailure {
    var brokerFailure: BrokerFailure? {
        failure.map { BrokerFailure($0.isPermanent ? .nacked : .unreachable, $0.detail, fix: $0.fix) }
    }
}
