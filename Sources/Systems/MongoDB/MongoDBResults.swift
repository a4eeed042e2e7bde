// Results in MongoDB, document for document as Celery 5.7 keeps them (celery-protocol.md §4.9).
public import Ports
import TaskModel

/// What is stored, fetched and forgotten while a batch is under way goes out as the next one. `store` waits for the server
/// as long as it takes.
///
/// A record expires as with Celery: by the time at which it ended, and `results.expires`, for all alike. One that is to
/// be kept for another time than that gets a `date_done` that leads there.
public final class MongoDBResults: ResultStore {
    public var description: String { address.description }
    public var replyTo: String? { nil }

    private let address: MongoDBAddress
    private let loop: any EventLoop
    private let codec: (any ResultCodec)?
    private let expiresSeconds: Double?
    private let collections: MongoDBCollections
    private var events: (any ResultStoreEvents)?
    private var queue: MongoDBQueue?
    private var followers: ChangeFollowers<[UInt8]>?
    private var sweepTimer: (any LoopTimer)?
    /// When it fires.
    private var sweepDue: Instant?

    private static let sweepSeconds = 30.0

    public init(address: MongoDBAddress, loop: any EventLoop, options: ResultOptions) {
        self.address = address
        self.loop = loop
        codec = options.codec
        expiresSeconds = options.chordsExpireSeconds
        collections = MongoDBCollections(address, options)
    }

    public func connect(events: any ResultStoreEvents) {
        self.events = events
        let queue = MongoDBQueue(address, collections, loop: loop) { [weak self] event in
            switch event {
            case .up: self?.events?.storeUp()
            case .down(let reason, let seconds): self?.events?.storeDown(reason: reason, retryInSeconds: seconds)
            }
        }
        self.queue = queue
        queue.connect()
    }

    public func store(_ record: ResultRecord, done: @escaping (StoreFailure?) -> Void) {
        do throws(StoreFailure) {
            let document = try ResultDocument.bytes(record, codec) { dateDone($0, record) }
            add(.store(taskID: record.taskID, document: document, done))
            // Only who stores also cleans up: a client need not know how long results are kept. A second later, since
            // not every server that speaks this protocol compares dates more finely.
            sweep(withinSeconds: min(record.expiresAfterSeconds ?? Self.sweepSeconds, Self.sweepSeconds) + 1.05)
        } catch {
            _ = loop.schedule(afterSeconds: 0) { done(error) }
        }
    }

    public func fetch(_ taskID: String, done: @escaping (Result<[UInt8]?, StoreFailure>) -> Void) {
        add(
            .fetch(taskID) { [codec] answer in
                done(
                    answer.flatMap { document in
                        do throws(StoreFailure) {
                            return .success(
                                try document.map { bytes throws(StoreFailure) in
                                    try ResultDocument.meta(bytes, codec)
                                })
                        } catch {
                            return .failure(error)
                        }
                    })
            })
    }

    public func follow(_ taskID: String, changed: @escaping ([UInt8]) -> Void) -> any ResultSubscription {
        let followers =
            followers ?? ChangeFollowers(loop: loop) { [weak self] seen, done in self?.look(seen, done) }
        self.followers = followers
        return followers.add(taskID) { [codec] document in
            do throws(StoreFailure) {
                changed(try ResultDocument.meta(document, codec))
            } catch {
                // Whoever reads this finds that it is no document; `fetch` says why.
                changed([])
            }
        }
    }

    private func look(
        _ seen: [ChangeFollowers<[UInt8]>.Seen], _ done: @escaping ([ChangeFollowers<[UInt8]>.Change]?) -> Void
    ) {
        var versions: [String: String] = [:]
        for one in seen { versions[one.taskID] = one.version }
        add(
            .look(seen.map(\.taskID)) { answer in
                // The next look makes up for it.
                guard case .success(let documents) = answer else { return done(nil) }
                done(
                    documents.compactMap { document in
                        let version = ResultDocument.version(document)
                        guard let id = ResultDocument.taskID(document), versions[id] != version else { return nil }
                        return ChangeFollowers.Change(taskID: id, shown: document, version: version)
                    })
            })
    }

    public func forget(_ taskID: String, done: @escaping (StoreFailure?) -> Void) { add(.forget(taskID, done)) }

    /// What waits is given up, and said so.
    public func close(done: @escaping () -> Void) {
        sweepTimer?.cancel()
        sweepTimer = nil
        followers?.close()
        followers = nil
        queue?.close()
        queue = nil
        events = nil
        _ = loop.schedule(afterSeconds: 0, done)
    }

    private func add(_ request: MongoDBRequest) {
        guard let queue else {
            let failure = StoreFailure("The connection to \(address) is closed")
            _ = loop.schedule(afterSeconds: 0) { request.fail(failure) }
            return
        }
        queue.add(request)
    }

    /// Nothing in a document says how long it is kept: its age does, and the same limit for all.
    private func dateDone(_ time: WallTime?, _ record: ResultRecord) -> WallTime? {
        guard record.state.isFinal else { return nil }
        let time = time ?? loop.clocks.wall
        switch (record.expiresAfterSeconds, expiresSeconds) {
        case (_, nil): return time
        // No clean-up takes what has no date.
        case (nil, _?): return nil
        case (let own?, let usual?): return own == usual ? time : time.advanced(bySeconds: own - usual)
        }
    }

    private func sweep(withinSeconds seconds: Double) {
        guard let expiresSeconds, queue != nil else { return }
        let due = loop.clocks.monotonic.advanced(bySeconds: seconds)
        guard sweepDue.map({ due < $0 }) ?? true else { return }
        sweepDue = due
        sweepTimer?.cancel()
        sweepTimer = loop.schedule(afterSeconds: seconds) { [weak self] in
            guard let self else { return }
            sweepDue = nil
            // A user without the right to delete leaves it to others; doctor tells.
            add(
                .sweep(before: loop.clocks.wall.advanced(bySeconds: -expiresSeconds)) { [weak self] _ in
                    self?.sweep(withinSeconds: Self.sweepSeconds)
                })
        }
    }
}

extension MongoDBCollections {
    init(_ address: MongoDBAddress, _ options: ResultOptions) {
        self.init(
            database: address.database, task: options.taskTable ?? "celery_taskmeta",
            group: options.groupTable ?? "celery_groupmeta")
    }
}
