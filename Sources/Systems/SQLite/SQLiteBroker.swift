// The embedded broker: a queue table that any number of processes on one machine may share.
public import Ports
public import TaskModel

/// A broker without a server. What is confirmed is in the file; what is held is leased (`LeaseTimes`).
///
/// Differences to RabbitMQ: queues need no declaration, there are no exchanges, and `expiration` is not enforced
/// (the header `expires` is, by the worker that takes the message).
public final class SQLiteBroker: Broker {
    public var description: String { file.address.description }

    let file: SQLiteFile
    let times: LeaseTimes
    let identity: HostIdentity
    var events: (any BrokerEvents)?
    var consumer: FileConsumer?
    private var isUp = false

    private static let closeSeconds = 5.0

    public convenience init(file: SQLiteFile, times: LeaseTimes = LeaseTimes()) {
        self.init(file: file, times: times, identity: .current)
    }

    /// For tests, which play processes that die.
    init(file: SQLiteFile, times: LeaseTimes, identity: HostIdentity) {
        self.file = file
        self.times = times
        self.identity = identity
        consumer = FileConsumer(file: file, times: times, identity: identity) { [weak self] event in
            self?.pass(event)
        }
    }

    public func connect(events: any BrokerEvents) {
        self.events = events
        file.loop.atTurnEnd { [weak self] in self?.consumer?.turnEnd() }
        file.attach(self)
    }

    public func consume(_ queues: [QueueDeclaration]) { consumer?.consume(queues.map(\.name)) }

    public func setCredit(_ credit: Int, queue: String) { consumer?.setCredit(credit, queue: queue) }

    /// There is no consumer in a file that could be lost: we poll.
    public func recreateConsumers(because reason: String) { consumer?.poll() }

    public func acknowledge(_ tag: DeliveryTag) { consumer?.settle(tag, requeue: false) }

    public func reject(_ tag: DeliveryTag, requeue: Bool) { consumer?.settle(tag, requeue: requeue) }

    public var countsLostStarts: Bool { true }
    public var fencesClaims: Bool { true }

    public func confirmClaim(_ tag: DeliveryTag, done: @escaping (Bool) -> Void) {
        guard let consumer, let held = consumer.heldMessage(tag) else { return done(false) }
        if consumer.isLeaseCertain { return done(true) }
        file.submit(.read) { db in
            try held.holds(in: db)
        } done: { result in
            // A file that cannot be read takes nothing, either.
            if case .success(let isOurs) = result { done(isOurs) } else { done(false) }
        }
    }

    public func recordStarts(_ tags: [DeliveryTag], done: @escaping (BrokerFailure?) -> Void) {
        guard let consumer else { return done(.gone) }
        consumer.recordStarts(tags) { done($0?.asBrokerFailure) }
    }

    public func publish(_ publication: Publication, done: @escaping (BrokerFailure?) -> Void) {
        let row: NewMessage
        let message = publication.message
        switch publication.destination {
        case .queue(let queue):
            row = NewMessage(queue: queue.name, delaySeconds: publication.delaySeconds, message: message)
        case .deadLetters(let queue):
            row = NewMessage(queue: queue, isDead: true, message: message)
        case .exchange(let exchange, let key) where exchange.isEmpty || exchange == key:
            // The default exchange, and the direct exchange Celery gives to each queue.
            row = NewMessage(queue: key, delaySeconds: publication.delaySeconds, message: message)
        case .exchange(let exchange, let key):
            let failure = BrokerFailure(
                .unroutable, "The embedded broker has no exchange \"\(exchange)\" (routing key \"\(key)\")",
                fix: "Send to the queue itself, or use RabbitMQ")
            return refuse(failure, done)
        }
        var claim: HeldMessage?
        if let tag = publication.claim {
            claim = consumer?.heldMessage(tag)
            guard claim != nil else { return refuse(.claimLost, done) }
        }
        file.submit(.announcedWrite) { [claim] db in
            if let claim, try !claim.holds(in: db) { return false }
            try MessageRows.insert(row, now: wallTime(), in: db)
            return true
        } done: { result in
            if case .success(false) = result { return done(.claimLost) }
            done(result.brokerFailure)
        }
    }

    private func refuse(_ failure: BrokerFailure, _ done: @escaping (BrokerFailure?) -> Void) {
        _ = file.loop.schedule(afterSeconds: 0) { done(failure) }
    }

    public func stopConsuming(done: @escaping () -> Void) {
        guard let consumer else { return done() }
        consumer.stop(done: done)
    }

    /// Waits for what is under way, but not for ever: a disk that is full now may stay so. What is still held then is
    /// found by others when this process is gone.
    public func close(done: @escaping () -> Void) {
        guard let consumer else { return done() }
        var isLeaving = false
        let leave = { [self] in
            guard !isLeaving else { return }
            isLeaving = true
            consumer.requeueAll()
            self.consumer = nil
            isUp = false
            file.detach(self) { [self] in
                events = nil
                done()
            }
        }
        let limit = file.loop.schedule(afterSeconds: Self.closeSeconds, leave)
        consumer.stop {
            limit.cancel()
            leave()
        }
    }

    private func pass(_ event: FileConsumer.Event) {
        switch event {
        case .delivered(let delivery):
            events?.delivered(delivery)
        case .linkLost(let reason):
            events?.linkDown(reason: reason, retryInSeconds: 0)
            if isUp { events?.linkUp() }
        }
    }
}

extension SQLiteBroker: FileUser {
    func fileUp() {
        isUp = true
        events?.linkUp()
        consumer?.start()
    }

    func fileDown(_ failure: SQLiteFailure, retryInSeconds: Double) {
        events?.linkDown(reason: failure.description, retryInSeconds: retryInSeconds)
    }

    func fileBlocked(_ failure: SQLiteFailure?) { events?.blocked(failure?.description) }

    func fileUnusable(_ failure: SQLiteFailure) {
        if isUp {
            isUp = false
            events?.linkDown(reason: failure.description, retryInSeconds: .infinity)
        }
        events?.fatal(failure.asBrokerFailure)
    }

    func fileChanged() { consumer?.poll() }
}

extension SQLiteFailure {
    var asBrokerFailure: BrokerFailure {
        let code: BrokerFailure.Code =
            switch kind {
            case .transient: .unreachable
            case .permanent: .loginRefused
            case .request: .nacked
            case .unfit: .unsupported
            case .closed: .closed
            }
        return BrokerFailure(code, detail, fix: fix)
    }
}

extension Result where Failure == SQLiteFailure {
    var failure: SQLiteFailure? { if case .failure(let failure) = self { failure } else { nil } }
    var brokerFailure: BrokerFailure? { failure?.asBrokerFailure }
}
