// The embedded broker: a queue table that any number of processes on one machine may share.
import Foundation
public import Ports
public import TaskModel

/// A broker without a server. What is confirmed is in the file; what is held is leased (`LeaseTimes`).
///
/// Differences to RabbitMQ: queues need no declaration, there are no exchanges, and `expiration` is not enforced
/// (the header `expires` is, by whoever takes the message).
public final class SQLiteBroker: Broker {
    public var description: String { file.address.description }

    let file: SQLiteFile
    let times: LeaseTimes
    let identity: HostIdentity
    var events: (any BrokerEvents)?
    var desk: DeliveryDesk?
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
        desk = DeliveryDesk(file: file, times: times, identity: identity) { [weak self] news in self?.pass(news) }
    }

    public func connect(events: any BrokerEvents) {
        self.events = events
        file.loop.atTurnEnd { [weak self] in self?.desk?.turnEnd() }
        file.attach(self)
    }

    public func consume(_ queues: [QueueDeclaration]) { desk?.consume(queues.map(\.name)) }

    public func setCredit(_ credit: Int, queue: String) { desk?.setCredit(credit, queue: queue) }

    /// There is no consumer in a file that could be lost: we look.
    public func consumeAnew(because reason: String) { desk?.look() }

    public func acknowledge(_ tag: DeliveryTag) { desk?.settle(tag, .remove) }

    public func reject(_ tag: DeliveryTag, requeue: Bool) { desk?.settle(tag, requeue ? .requeue : .remove) }

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
            _ = file.loop.schedule(afterSeconds: 0) { done(failure) }
            return
        }
        file.submit(.announcedWrite) { db in
            try MessageRows.insert(row, now: wallTime(), in: db)
        } done: { result in
            done(result.brokerFailure)
        }
    }

    public func stopConsuming(done: @escaping () -> Void) {
        guard let desk else { return done() }
        desk.stop(done: done)
    }

    /// Waits for what is under way, but not for ever: a disk that is full now may stay so. What is still held then is
    /// found by others when this process is gone.
    public func close(done: @escaping () -> Void) {
        guard let desk else { return done() }
        var isLeaving = false
        let leave = { [self] in
            guard !isLeaving else { return }
            isLeaving = true
            desk.giveBack()
            self.desk = nil
            isUp = false
            file.detach(self) { [self] in
                events = nil
                done()
            }
        }
        let limit = file.loop.schedule(afterSeconds: Self.closeSeconds, leave)
        desk.stop {
            limit.cancel()
            leave()
        }
    }

    private func pass(_ news: DeliveryDesk.News) {
        switch news {
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
        desk?.start()
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

    func fileChanged() { desk?.look() }
}

extension SQLiteFailure {
    var asBrokerFailure: BrokerFailure {
        let code: BrokerFailure.Code =
            switch kind {
            case .transient: .unreachable
            case .permanent: .accessRefused
            case .request: .nacked
            case .closed: .closed
            }
        return BrokerFailure(code, detail, fix: fix)
    }
}

extension Result where Failure == SQLiteFailure {
    var brokerFailure: BrokerFailure? {
        if case .failure(let failure) = self { failure.asBrokerFailure } else { nil }
    }
}
