// Sends tasks and follows their results. Callbacks on the loop's thread; a public async face can stand on top of it.
public import CeleryWire
public import Ports
public import TaskModel

/// One client's links: a broker to send through, a store to read from. Either may be missing.
public final class TaskClient {
    let broker: (any Broker)?
    let store: (any ResultStore)?
    /// `name@host`, as messages name their sender.
    public let origin: String
    /// Why the broker takes no messages at present; nil: it does, as far as is known.
    public private(set) var blocked: String?
    private var brokerIsUp: Bool
    private var storeIsUp: Bool
    private var ready: (() -> Void)?
    private var failed: (ConnectionProblem) -> Void = { _ in }

    /// nil: orders go through the broker, which confirms them.
    let broadcasts: OwnBroadcasts?
    let commands: CommandFormats

    /// - Parameter control: where the broker has no exchanges for orders to all workers; nil: it has.
    public init(
        broker: (any Broker)?, store: (any ResultStore)?, control: (any ControlChannel)? = nil, origin: String,
        commands: CommandFormats = CommandFormats()
    ) {
        self.broker = broker
        self.store = store
        self.origin = origin
        self.commands = commands
        broadcasts = control.map { OwnBroadcasts(channel: $0, name: origin, formats: commands) }
        brokerIsUp = broker == nil
        storeIsUp = store == nil
    }

    /// Begins connecting.
    /// - Parameters:
    ///   - ready: called once, when all links are up.
    ///   - failed: called for each failed attempt and each later loss.
    public func connect(ready: @escaping () -> Void, failed: @escaping (ConnectionProblem) -> Void) {
        self.ready = ready
        self.failed = failed
        store?.connect(events: self)
        broker?.connect(events: self)
        reportReady()
    }

    /// Calls `changed` with the present state, if there is one, and each one stored from now on.
    /// Documents that are no result metas are passed over: they are another program's.
    public func follow(_ taskID: String, changed: @escaping (ReceivedMeta) -> Void) -> (any ResultSubscription)? {
        store?.follow(taskID) { document in
            if let meta = Self.meta(document) { changed(meta) }
        }
    }

    /// What is stored now; nil: nothing known.
    public func fetch(_ taskID: String, done: @escaping (Result<ReceivedMeta?, StoreFailure>) -> Void) {
        guard let store else { return done(.success(nil)) }
        store.fetch(taskID) { answer in done(answer.map { $0.flatMap(Self.meta) }) }
    }

    /// Writes out what is owed, then ends the links.
    public func close(done: @escaping () -> Void) {
        failed = { _ in }
        let closeBroker = { [self] in
            if let broker { broker.close(done: done) } else { done() }
        }
        let closeLinks = { [self] in
            if let store { store.close(done: closeBroker) } else { closeBroker() }
        }
        if let broadcasts { broadcasts.close(done: closeLinks) } else { closeLinks() }
    }

    private static func meta(_ document: [UInt8]) -> ReceivedMeta? {
        do {
            return try ReceivedMeta(parsing: document)
        } catch {
            return nil
        }
    }

    private func reportReady() {
        guard brokerIsUp, storeIsUp, let ready else { return }
        self.ready = nil
        ready()
    }
}

extension TaskClient: BrokerEvents {
    public func linkUp() {
        brokerIsUp = true
        reportReady()
    }

    public func linkDown(reason: String, retryInSeconds: Double) { failed(.brokerDown(reason)) }
    public func fatal(_ failure: BrokerFailure) { failed(.refused(failure)) }

    public func blocked(_ reason: String?) {
        let isNews = reason != nil && blocked == nil
        blocked = reason
        if isNews, let reason { failed(.brokerBlocked(reason)) }
    }

    // A client consumes nothing.
    public func delivered(_ delivery: Delivery) {}
    public func consumerCancelled(queue: String) {}
}

extension TaskClient: ResultStoreEvents {
    public func storeUp() {
        storeIsUp = true
        reportReady()
    }

    public func storeDown(reason: String, retryInSeconds: Double) { failed(.storeDown(reason)) }
}
