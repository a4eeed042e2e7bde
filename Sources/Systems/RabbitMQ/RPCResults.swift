// Results over rpc://: messages to the queue the caller named, kept nowhere (celery-protocol.md §4.6).
public import Ports
public import TaskModel

/// Shares the broker's connections. On the loop.
public final class RPCResults: ResultStore {
    private let broker: RabbitMQBroker
    private weak var events: (any ResultStoreEvents)?
    private let queue = UUIDText.random()
    private var isConsuming = false
    private var followers: [String: [Subscription]] = [:]
    private var latest: [String: [UInt8]] = [:]

    private let codec: (any ResultCodec)?
    private let targets: ReplyTargets
    /// Queues that results were not sent to.
    private var refused = ReportedNames()

    /// Results that were dropped because their message named a queue that is no client's.
    public var refusals: Int { refused.count }

    /// - Parameters:
    ///   - codec: how results are written; nil: as they are, in JSON.
    ///   - targets: the queues that results may go to.
    public init(broker: RabbitMQBroker, codec: (any ResultCodec)? = nil, targets: ReplyTargets = ReplyTargets()) {
        self.broker = broker
        self.codec = codec
        self.targets = targets
    }

    public var description: String { "rpc:// over \(broker.description)" }

    public var replyTo: String? { queue }

    /// There is no link of its own to wait for: publications wait by themselves.
    public func connect(events: any ResultStoreEvents) {
        self.events = events
        let carried = OnLoop(self)
        broker.loop.post { carried.value.events?.storeUp() }
    }

    /// Confirmed by the broker, or unneeded: the caller's queue is gone.
    public func store(_ record: ResultRecord, done: @escaping (StoreFailure?) -> Void) {
        guard let replyTo = record.replyTo, !replyTo.isEmpty else { return done(nil) }
        guard targets.allows(replyTo) else {
            if refused.isNew(replyTo) { tellRefusal(of: record, to: replyTo) }
            return done(nil)
        }
        var message = WireMessage(body: record.meta)
        do throws(StoreFailure) {
            if let codec { message.body = try codec.encode(record.meta) }
        } catch {
            return done(error)
        }
        message.properties.contentType = codec?.contentType ?? "application/json"
        message.properties.contentEncoding = codec?.contentEncoding ?? "utf-8"
        message.properties.correlationID = record.correlationID ?? record.taskID
        message.properties.deliveryMode = 1
        let publication = Publication(destination: .exchange("", routingKey: replyTo), message: message)
        broker.publish(publication) { failure in
            guard let failure, failure.code != .unroutable else { return done(nil) }
            done(StoreFailure(failure.detail, failure.isPermanent ? .unfit : .unavailable, fix: failure.fix))
        }
    }

    private func tellRefusal(of record: ResultRecord, to replyTo: String) {
        broker.log(
            .warning,
            "The result of [\(record.taskID)] is dropped: its message wants it in the queue "
                + "'\(replyTo.prefix(255))', which has no name of a client's reply queue (a UUID). "
                + "fix: add it to [security] reply_to, if it is one")
    }

    /// Only what came while it was followed is known.
    /// Results are messages to their callers.
    public var keepsResults: Bool { false }

    public func fetch(_ taskID: String, done: @escaping (Result<[UInt8]?, StoreFailure>) -> Void) {
        done(.success(latest[taskID]))
    }

    /// Messages published after this call wait until the queue for their answers exists.
    public func follow(_ taskID: String, changed: @escaping ([UInt8]) -> Void) -> any ResultSubscription {
        if !isConsuming {
            isConsuming = true
            broker.consumeReplies(queue) { [weak self] delivery in self?.arrived(delivery.message) }
        }
        let subscription = Subscription(self, taskID, changed)
        followers[taskID, default: []].append(subscription)
        if let meta = latest[taskID] { changed(meta) }
        return subscription
    }

    private func arrived(_ message: WireMessage) {
        guard let id = message.properties.correlationID, let subscriptions = followers[id] else { return }
        let document = decoded(message.body)
        latest[id] = document
        for subscription in subscriptions { subscription.changed?(document) }
    }

    /// What cannot be read stays as it is; readers find that it is no document.
    private func decoded(_ document: [UInt8]) -> [UInt8] {
        guard let codec else { return document }
        do throws(StoreFailure) {
            return try codec.decode(document)
        } catch {
            return document
        }
    }

    public func forget(_ taskID: String, done: @escaping (StoreFailure?) -> Void) {
        latest[taskID] = nil
        done(nil)
    }

    public func close(done: @escaping () -> Void) {
        followers = [:]
        done()
    }

    fileprivate func remove(_ subscription: Subscription) {
        followers[subscription.taskID]?.removeAll { $0 === subscription }
        if followers[subscription.taskID]?.isEmpty ?? false {
            followers[subscription.taskID] = nil
            latest[subscription.taskID] = nil
        }
    }

    fileprivate final class Subscription: ResultSubscription {
        let taskID: String
        private(set) var changed: (([UInt8]) -> Void)?
        private weak var store: RPCResults?

        init(_ store: RPCResults, _ taskID: String, _ changed: @escaping ([UInt8]) -> Void) {
            self.store = store
            self.taskID = taskID
            self.changed = changed
        }

        func cancel() {
            guard changed != nil else { return }
            changed = nil
            store?.remove(self)
        }
    }
}
