// PostgreSQL as broker: a table of messages that any number of processes share (docs/postgresql-broker.md).
public import Ports
import PullConsumer
public import TaskModel

/// What is confirmed is committed; what is held is leased. There are no exchanges, queues need no declaration, and
/// `expiration` is not enforced (the header `expires` is, by the worker that takes the message).
///
/// One connection (`BrokerLine`) sends and asks, another (`TableConsumer`), made by `consume`, takes and settles.
public final class PostgreSQLBroker: Broker {
    public var description: String { line.address.description }

    let line: BrokerLine
    let loop: any EventLoop
    private let times: HostTimes
    private let publisher: Publisher
    private var user: BrokerLine.User?
    private(set) var events: (any BrokerEvents)?
    private(set) var consumer: TableConsumer?
    private var wasUp = false
    /// Who cannot go on for now, and why.
    private var hindrances: [Duty: String] = [:]

    private enum Duty { case sending, consuming }

    private static let closeSeconds = 5.0

    convenience init(line: BrokerLine) { self.init(line: line, times: HostTimes()) }

    init(line: BrokerLine, times: HostTimes) {
        self.line = line
        self.times = times
        loop = line.loop
        publisher = Publisher(line: line)
        consumer = TableConsumer(address: line.address, loop: loop, times: times) { [weak self] event in
            self?.pass(event)
        }
    }

    public func connect(events: any BrokerEvents) {
        self.events = events
        loop.atTurnEnd { [weak self] in
            self?.publisher.turnEnd()
            self?.consumer?.turnEnd()
        }
        user = line.open { [weak self] event in self?.changed(event) }
    }

    public func consume(_ queues: [QueueDeclaration]) { consumer?.consume(queues.map(\.name)) }

    public func setCredit(_ credit: Int, queue: String) { consumer?.setCredit(credit, queue: queue) }

    /// There is no consumer at the server that could be lost: we ask.
    public func recreateConsumers(because reason: String) {
        consumer?.pull.mayHaveMore()
        consumer?.poll()
    }

    public func acknowledge(_ tag: DeliveryTag) { consumer?.settle(tag, requeue: false) }

    public func reject(_ tag: DeliveryTag, requeue: Bool) { consumer?.settle(tag, requeue: requeue) }

    public var countsLostStarts: Bool { true }
    public var fencesClaims: Bool { true }

    public func confirmClaim(_ tag: DeliveryTag, done: @escaping (Bool) -> Void) {
        guard let consumer, let held = consumer.heldMessage(tag) else { return done(false) }
        if consumer.isLeaseCertain { return done(true) }
        line.ask([MessageStatements.holds(held)]) { answer in
            // Out of reach for good: nothing gets out any more, either.
            if case .success(let rows) = answer { done(rows[0].changed == 1) } else { done(false) }
        }
    }

    public func recordStarts(_ tags: [DeliveryTag], done: @escaping (BrokerFailure?) -> Void) {
        guard let consumer else { return done(.gone) }
        guard let started = consumer.pull.start(tags) else { return done(nil) }
        line.ask(ConsumerStatements.note(started: started.sorted(), of: consumer.own.host)) { answer in
            done(answer.forBroker.failure)
        }
    }

    public func publish(_ publication: Publication, done: @escaping (BrokerFailure?) -> Void) {
        do throws(BrokerFailure) {
            var message = try newMessage(publication)
            if let tag = publication.claim {
                guard let held = consumer?.heldMessage(tag) else { throw .claimLost }
                message.claim = held
            }
            publisher.add(message, done: done)
        } catch {
            _ = loop.schedule(afterSeconds: 0) { done(error) }
        }
    }

    private func newMessage(_ publication: Publication) throws(BrokerFailure) -> NewMessage {
        let (message, delay) = (publication.message, publication.delaySeconds)
        switch publication.destination {
        case .queue(let queue): return try NewMessage(queue: queue.name, delaySeconds: delay, message: message)
        case .deadLetters(let queue): return try NewMessage(queue: queue, isDead: true, message: message)
        case .exchange(let exchange, let key) where exchange.isEmpty || exchange == key:
            // The default exchange, and the direct exchange that Celery gives to each queue.
            return try NewMessage(queue: key, delaySeconds: delay, message: message)
        case .exchange(let exchange, let key):
            throw BrokerFailure(
                .unroutable, "PostgreSQL as broker has no exchange \"\(exchange)\" (routing key \"\(key)\")",
                fix: "Send to the queue itself, or use RabbitMQ")
        }
    }

    public func stopConsuming(done: @escaping () -> Void) {
        guard let consumer else { return done() }
        consumer.stop(done: done)
    }

    /// Gives back what is held, but waits for the server not for ever: our lease runs out by itself.
    public func close(done: @escaping () -> Void) {
        guard let consumer else { return done() }
        var isLeaving = false
        let leave = { [self] in
            guard !isLeaving else { return }
            isLeaving = true
            consumer.end()
            self.consumer = nil
            line.close(user)
            user = nil
            events = nil
            done()
        }
        // A host that takes nothing has nothing to requeue.
        guard wasUp, consumer.link != nil else { return leave() }
        let limit = loop.schedule(afterSeconds: Self.closeSeconds, leave)
        consumer.stop {
            consumer.leave {
                limit.cancel()
                leave()
            }
        }
    }

    private func changed(_ event: BrokerLine.Event) {
        switch event {
        case .up:
            if !wasUp { events?.linkUp() }
            wasUp = true
            note(nil, .sending)
        case .down(let reason, let seconds):
            // What we hold stays ours, so it is only that nothing comes and goes.
            if wasUp { note(reason, .sending) } else { events?.linkDown(reason: reason, retryInSeconds: seconds) }
        case .unwell(let reason): note(reason, .sending)
        case .refused(let failure): events?.fatal(BrokerFailure(failure))
        }
    }

    private func pass(_ event: TableConsumer.Event) {
        switch event {
        case .delivered(let delivery): events?.delivered(delivery)
        case .lost(let reason):
            events?.linkDown(reason: reason, retryInSeconds: 0)
            events?.linkUp()
        case .hindered(let reason): if wasUp { note(reason, .consuming) }
        case .refused(let failure): events?.fatal(BrokerFailure(failure))
        }
    }

    private func note(_ reason: String?, _ duty: Duty) {
        let before = hindrances[duty]
        hindrances[duty] = reason
        if let reason {
            if before == nil { events?.blocked(reason) }
        } else if before != nil, hindrances.isEmpty {
            events?.blocked(nil)
        }
    }
}

extension Result {
    var failure: Failure? { if case .failure(let failure) = self { failure } else { nil } }
}
