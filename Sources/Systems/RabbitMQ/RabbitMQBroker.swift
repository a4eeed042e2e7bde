// RabbitMQ as a broker: one connection that consumes, on the loop, and one that publishes, on a thread of its own.
import Glibc
public import Ports
public import TaskModel

/// The `Broker` for AMQP 0-9-1 as RabbitMQ speaks it (3.8 and later). docs/rabbitmq.md says what it does and why.
///
/// All calls and callbacks on the loop's thread.
public final class RabbitMQBroker: Broker {
    let addresses: [RabbitMQAddress]
    let options: RabbitMQOptions
    let loop: any EventLoop
    let log: (LogLevel, String) -> Void
    let publisher: Publisher
    private weak var events: (any BrokerEvents)?

    private(set) var consumers: [QueueConsumer] = []
    private var byName: [String: QueueConsumer] = [:]
    /// Those of them that take no tasks: at most three.
    private(set) var apart: [QueueConsumer] = []
    /// More than settlements may have changed since the last turn's end: each consumer is looked at. There may be
    /// thousands, of which nothing is wanted in most turns.
    private var mustLook = false
    private(set) var link: ConsumeLink?
    private var linkNumber: UInt32 = 0
    private var attempts = 0
    private var backoff: LinkBackoff
    private var retry: (any LoopTimer)?
    private var isSettingUp = false
    private(set) var stage = Stage.idle
    private var stopped: [() -> Void] = []
    /// Takes what comes to reply queues.
    private var replySink: ((Delivery) -> Void)?
    /// Receives broadcasts, and the event that they begin to arrive.
    private weak var control: RabbitMQControl?
    /// What this process has put onto the ladder.
    var postponed = PostponedMessages()
    /// Kept from one look at depths to the next.
    var depthConnection: KeptConnection?
    var isClosed: Bool { stage == .closed }
    /// Takes events.
    private weak var eventSource: RabbitMQEventSource?
    /// Publications that wait until the reply queue exists, or their answers could be lost.
    var gated: [(Publication, (BrokerFailure?) -> Void)] = []

    enum Stage {
        case idle, running, stopping, closed
    }

    /// - Parameters:
    ///   - addresses: tried in turn; at least one.
    ///   - log: a level and a sentence.
    public init(
        addresses: [RabbitMQAddress], loop: any EventLoop, options: RabbitMQOptions = RabbitMQOptions(),
        log: @escaping (_ level: LogLevel, _ line: String) -> Void
    ) {
        precondition(!addresses.isEmpty, "a broker needs an address")
        self.addresses = addresses
        self.options = options
        self.loop = loop
        self.log = log
        backoff = LinkBackoff(options)
        let tell = Weak<RabbitMQBroker>()
        publisher = Publisher(addresses, options, loop, log: log) { reason in
            tell.object?.publishingBlocked(reason)
        } connected: {
            tell.object?.publisherConnected()
        }
        tell.object = self
        loop.atTurnEnd { [weak self] in self?.turnEnds() }
    }

    public var description: String { addresses.map(\.description).joined(separator: ";") }

    // ---- link ----

    public func connect(events: any BrokerEvents) {
        self.events = events
        guard stage == .idle else { return }
        stage = .running
        for address in addresses where !address.ignored.isEmpty {
            log(
                .warning,
                "\(address): parameters without meaning here are ignored: \(address.ignored.joined(separator: ", "))"
            )
        }
        attempt()
    }

    /// A worker that stops obeys remote control to its end, so a lost link is made again for that alone.
    private var wantsLink: Bool {
        switch stage {
        case .running: true
        case .stopping: linkNumber > 0 && apart.contains { $0.isOwn }
        case .idle, .closed: false
        }
    }

    private func attempt() {
        guard wantsLink else { return }
        let address = addresses[attempts % addresses.count]
        attempts += 1
        let plans = stage == .running ? consumers.filter { !$0.isOwn }.map(\.plan) : []
        let options = options
        inBackground { () throws(BrokerFailure) -> (AMQPConnection, [QueueFacts], Int) in
            let connection = try AMQPConnection(to: address, duty: "consume", options: options)
            let facts = try LinkSetup.declare(plans, over: connection, options)
            return (connection, facts, try connection.openSmallChannels(plans.count))
        } done: { broker, result in
            broker.connected(result)
        }
    }

    private func connected(_ result: Result<(AMQPConnection, [QueueFacts], Int), BrokerFailure>) {
        guard wantsLink else { return }
        switch result {
        case .failure(let failure):
            // Who was let in before waits: a password that was turned, or rights taken away, are given back.
            if failure.isHopeless, linkNumber == 0 {
                stage = .closed
                events?.fatal(failure)
            } else {
                tryAgain(failure)
            }
        case .success((let connection, let facts, let opened)):
            backoff.reset()
            attempts -= 1  // Next time this node first: it was the good one.
            linkNumber += 1
            let made = ConsumeLink(linkNumber, connection, opened: opened, owner: self, loop: loop)
            link = made
            mustLook = true
            learn(facts)
            publisher.wake()
            events?.linkUp()
            if link === made { made.start() }
        }
    }

    /// The broker is back: consumers that wait for their next attempt need not wait longer.
    private func publisherConnected() {
        guard let waiting = retry, link == nil, wantsLink else { return }
        waiting.cancel()
        retry = nil
        backoff.reset()
        attempt()
    }

    private func tryAgain(_ failure: BrokerFailure) {
        let delay = backoff.next(after: failure)
        retry = loop.schedule(afterSeconds: delay) { [weak self] in
            self?.retry = nil
            self?.attempt()
        }
        events?.linkDown(reason: failure.description, retryInSeconds: delay)
    }

    private func turnEnds() {
        publisher.flush()
        guard let link else { return }
        let looking = mustLook
        mustLook = false
        if looking { setUpMissing() }
        if !link.flush(consumers, looking: looking, stopping: stage != .running) { mustLook = mustLook || looking }
        if stage == .stopping, !consumers.contains(where: { $0.isConsuming && !$0.isOwn }) { finishStopping() }
    }

    // ---- queues ----

    public func consume(_ queues: [QueueDeclaration]) {
        for queue in queues where byName[queue.name] == nil {
            add(QueueConsumer(queue, role: .tasks, credit: options.initialCredit, backoff: options.backoff))
        }
    }

    /// Results of ours come to this queue; publications wait until it exists.
    func consumeReplies(_ name: String, sink: @escaping (Delivery) -> Void) {
        replySink = sink
        let expires = Int64(options.replyQueueExpiresSeconds * 1000)
        let role = QueueConsumer.Role.replies(expiresMilliseconds: expires)
        add(QueueConsumer(QueueDeclaration(name: name), role: role, credit: 1, backoff: options.backoff))
    }

    /// Broadcasts of this exchange come to the queue, also while consuming is being stopped.
    func consumeControl(_ name: String, exchange: String, for control: RabbitMQControl) {
        self.control = control
        let role = QueueConsumer.Role.control(exchange: exchange)
        add(QueueConsumer(QueueDeclaration(name: name), role: role, credit: 1, backoff: options.backoff))
    }

    func consumeEvents(_ name: String, for source: RabbitMQEventSource) {
        eventSource = source
        add(QueueConsumer(QueueDeclaration(name: name), role: .events, credit: 1, backoff: options.backoff))
    }

    private func add(_ consumer: QueueConsumer) {
        consumers.append(consumer)
        if case .tasks = consumer.role {} else { apart.append(consumer) }
        byName[consumer.name] = consumer
        mustLook = true
        loopTurn { _ in }  // Its set-up begins at a turn's end; this call may come from outside one.
    }

    /// Queues that came after the link, or whose consumer was lost: declared over a visit of its own.
    private func setUpMissing() {
        guard !isSettingUp, stage == .running, let link else { return }
        let missing = consumers.filter { $0.needsSetup && !$0.isWaiting }
        guard !missing.isEmpty else { return }
        isSettingUp = true
        let plans = missing.map(\.plan)
        let address = link.connection.address
        let options = options
        inBackground { () throws(BrokerFailure) -> [QueueFacts] in
            try LinkSetup.visit(address, duty: "declare", options) { connection throws(BrokerFailure) in
                try LinkSetup.declare(plans, over: connection, options)
            }
        } done: { broker, result in
            broker.isSettingUp = false
            broker.mustLook = true
            switch result {
            case .success(let facts): broker.learn(facts)
            case .failure(let failure):
                broker.log(.warning, "declaring queues failed: \(failure)")
                for consumer in missing { broker.pause(consumer) }
            }
        }
    }

    private func learn(_ facts: [QueueFacts]) {
        for fact in facts {
            guard let consumer = byName[fact.name] else { continue }
            switch fact.outcome {
            case .success(let sight):
                for warning in sight.warnings { log(.warning, warning) }
                consumer.seen(sight)
                if let reason = consumer.reasonOfEnd() { log(.warning, "queue '\(consumer.name)': \(reason)") }
            case .failure(let failure):
                refuse(consumer, failure)
            }
        }
    }

    /// A queue of tasks is forgotten, so that it can be asked for again when its fault has been mended.
    private func refuse(_ consumer: QueueConsumer, _ failure: BrokerFailure) {
        consumer.isWaiting = true
        if case .tasks = consumer.role {
            consumers.removeAll { $0 === consumer }
            byName[consumer.name] = nil
            events?.refused(queue: consumer.name, failure)
        } else {
            events?.fatal(failure)
        }
    }

    /// Looks at the queue again after a while.
    private func pause(_ consumer: QueueConsumer) {
        consumer.isWaiting = true
        let delay = consumer.pauseSeconds(at: loop.clocks.monotonic)
        _ = loop.schedule(afterSeconds: delay) { [weak self] in
            consumer.isWaiting = false
            self?.mustLook = true
        }
    }

    public func setCredit(_ credit: Int, queue: String) {
        guard let consumer = byName[queue], consumer.credit != max(0, credit) else { return }
        consumer.credit = max(0, credit)
        mustLook = true
    }

    private func publishingBlocked(_ reason: String?) { events?.blocked(reason) }

    // ---- the end ----

    public func stopConsuming(done: @escaping () -> Void) {
        stopped.append(done)
        if stage == .running || stage == .idle { stage = .stopping }
        mustLook = true
        let isOver = link == nil || stage == .closed
        loopTurn { if isOver { $0.finishStopping() } }
    }

    private func finishStopping() {
        let callbacks = stopped
        stopped = []
        for done in callbacks { done() }
    }

    public func close(done: @escaping () -> Void) {
        stage = .closed
        retry?.cancel()
        openGate()
        finishStopping()
        var left = 2
        let oneLess = {
            left -= 1
            if left == 0 { done() }
        }
        if let kept = depthConnection?.take() {
            depthConnection = nil
            left += 1
            end(kept, done: oneLess)
        }
        publisher.close(withinSeconds: options.closeTimeoutSeconds, done: oneLess)
        guard let link else { return oneLess() }
        _ = link.flush(consumers, looking: true, stopping: true)
        guard self.link === link else { return oneLess() }
        self.link = nil
        link.detach()
        for consumer in consumers { consumer.reset() }
        end(link.connection, done: oneLess)
    }

    // ---- threads ----

    private func loopTurn(_ work: @escaping (RabbitMQBroker) -> Void) {
        let carried = OnLoop((self, work))
        loop.post { carried.value.1(carried.value.0) }
    }
}

extension RabbitMQBroker: ConsumeLinkOwner {
    func mayTake(bodyBytes: Int) -> Bool { events?.mayTake(bodyBytes: bodyBytes) ?? true }

    func link(_ link: ConsumeLink, delivered delivery: Delivery, from consumer: QueueConsumer) {
        if case .replies = consumer.role {
            replySink?(delivery)
        } else if case .events = consumer.role {
            eventSource?.received(delivery.message)
        } else if consumer.isOwn {
            control?.received(delivery.message)
        } else if stage == .running {
            events?.delivered(delivery)
        } else if consumer.ledger.reject(delivery.tag.number & 0xFFFF_FFFF_FFFF, requeue: true) {
            link.owes(consumer)
        } else {
            log(.error, "a delivery of '\(consumer.name)' came twice under one tag")
        }
    }

    func link(_ link: ConsumeLink, lostConsumer consumer: QueueConsumer, because failure: BrokerFailure?) {
        mustLook = true
        // A refusal of our own queue is reported to its user; one line for all attempts.
        if let failure, !(consumer.isOwn && failure.isRefusedByRights) { log(.warning, "consumer lost: \(failure)") }
        if consumer.isOwn {
            if let failure, failure.isRefusedByRights, !consumer.hasReportedRefusal {
                consumer.hasReportedRefusal = true
                events?.refused(queue: consumer.name, failure)
            }
            return pause(consumer)
        }
        events?.consumerCancelled(queue: consumer.name)
        if let failure, failure.isHopeless, failure.code == .accessRefused {
            refuse(consumer, failure)
        } else {
            pause(consumer)
        }
    }

    func link(_ link: ConsumeLink, holdsTooMuchFrom consumer: QueueConsumer) {
        events?.holdsTooMuch(queue: consumer.name, credit: consumer.credit)
    }

    func linkBroke(_ link: ConsumeLink, because failure: BrokerFailure) {
        guard self.link === link else { return }
        self.link = nil
        mustLook = true
        for consumer in consumers {
            consumer.reset()
            consumer.lookAgain()
            consumer.isWaiting = false
            // A queue's kind that was unknown before: the broker names the queue when it refuses.
            if failure.code == .unsupported, failure.detail.contains("'\(consumer.name)'") {
                consumer.isKnownQuorum = true
            }
        }
        if stage == .stopping { finishStopping() }
        if wantsLink { tryAgain(failure) }
    }

    func linkMustLook(_ link: ConsumeLink) { mustLook = true }

    func linkProgressed(_ link: ConsumeLink) {
        mustLook = true
        openGate()
        for consumer in apart where consumer.isUp {
            switch consumer.role {
            case .control: control?.isReceiving()
            case .events: eventSource?.isReceiving()
            case .tasks, .replies: break
            }
        }
    }
}
