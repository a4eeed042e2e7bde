// Results in a database as Celery 5.7 keeps them (celery-protocol.md §4.7, §4.9), whichever database it is.
public import Ports
public import TaskModel

/// What a database keeps of a result, and how it is read again.
public protocol ResultFormat<Kept> {
    associatedtype Kept: KeptResult

    /// - Parameter dateDone: when it ended is kept as this makes it of what the record says.
    /// - Throws: `unfit`: there is no room for it, or it is no document.
    func kept(_ record: ResultRecord, dateDone: (WallTime?) -> WallTime?) throws(StoreFailure) -> Kept

    /// The document as other stores keep it (celery-protocol.md §4.1).
    /// - Throws: `unfit`: it holds what cannot be read.
    func document(_ kept: Kept) throws(StoreFailure) -> [UInt8]
}

/// In tables.
public typealias SQLResults = DatabaseResults<RowFormat>

/// What is stored, fetched and forgotten while a batch is under way goes out as the next one: a statement, and a
/// transaction, for all records at once. `store` waits for the link as long as it takes.
///
/// A record expires as with Celery: by the time at which it ended, and `results.expires`, for all alike. One that is to
/// be kept for another time than that gets a `date_done` that leads there.
public final class DatabaseResults<Format: ResultFormat>: ResultStore {
    public typealias Kept = Format.Kept

    /// The server, without secrets.
    public let description: String
    public var replyTo: String? { nil }

    private let loop: any EventLoop
    private let format: Format
    private let expiresSeconds: Double?
    private let makeLink: (@escaping (LinkEvent) -> Void) -> any ResultLink<Kept>
    private var events: (any ResultStoreEvents)?
    private var queue: RequestQueue<Kept>?
    private var followers: ChangeFollowers<Kept>?
    private var sweepTimer: (any LoopTimer)?
    /// When it fires.
    private var sweepDue: Instant?

    private static var sweepSeconds: Double { 30 }
    private static var sweepLimit: Int { 1_000 }

    /// - Parameters:
    ///   - expiresSeconds: how long results are kept, all alike; nil: for ever.
    ///   - link: makes the link, which calls the function given with each change of it.
    public init(
        description: String, loop: any EventLoop, format: Format, expiresSeconds: Double?,
        link: @escaping (@escaping (LinkEvent) -> Void) -> any ResultLink<Kept>
    ) {
        self.description = description
        self.loop = loop
        makeLink = link
        self.format = format
        self.expiresSeconds = expiresSeconds
    }

    public func connect(events: any ResultStoreEvents) {
        self.events = events
        let queue = RequestQueue(
            place: description, loop: loop, link: makeLink, tell: { [weak self] event in self?.changed(event) })
        self.queue = queue
        queue.connect()
    }

    public func store(_ record: ResultRecord, done: @escaping (StoreFailure?) -> Void) {
        do throws(StoreFailure) {
            add(.store(try format.kept(record) { dateDone($0, record) }, done))
            // Only who stores also cleans up: a client need not know how long results are kept.
            // (A date may have lost its fraction of a second, and not every server compares finer ones.)
            sweep(withinSeconds: min(record.expiresAfterSeconds ?? Self.sweepSeconds, Self.sweepSeconds) + 1.05)
        } catch {
            _ = loop.schedule(afterSeconds: 0) { done(error) }
        }
    }

    public func fetch(_ taskID: String, done: @escaping (Result<[UInt8]?, StoreFailure>) -> Void) {
        add(
            .fetch(taskID) { [format] answer in
                done(
                    answer.flatMap { row in
                        do throws(StoreFailure) {
                            return .success(try row.map { row throws(StoreFailure) in try format.document(row) })
                        } catch {
                            return .failure(error)
                        }
                    })
            })
    }

    public func follow(_ taskID: String, changed: @escaping ([UInt8]) -> Void) -> any ResultSubscription {
        let followers =
            followers
            ?? ChangeFollowers<Kept>(loop: loop) { [weak self] seen, done in self?.look(seen, done) }
        self.followers = followers
        return followers.add(taskID) { [format] row in
            do throws(StoreFailure) {
                changed(try format.document(row))
            } catch {
                // Whoever reads this finds that it is no document; `fetch` says why.
                changed([])
            }
        }
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

    private func add(_ request: StoreRequest<Kept>) {
        guard let queue else {
            let failure = StoreFailure("The connection to \(description) is closed")
            _ = loop.schedule(afterSeconds: 0) { request.fail(failure) }
            return
        }
        queue.add(request)
    }

    /// Nothing in the table says how long a row is kept: its age does, and the same limit for all.
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

    private func look(
        _ seen: [ChangeFollowers<Kept>.Seen], _ done: @escaping ([ChangeFollowers<Kept>.Change]?) -> Void
    ) {
        add(
            .look(seen.map { ($0.taskID, $0.version) }) { answer in
                switch answer {
                case .success(let rows):
                    done(
                        rows.map {
                            ChangeFollowers<Kept>.Change(taskID: $0.row.taskID, shown: $0.row, version: $0.version)
                        })
                // The next look makes up for it.
                case .failure: done(nil)
                }
            })
    }

    private func changed(_ event: QueueEvent) {
        switch event {
        case .up: events?.storeUp()
        case .down(let reason, let seconds): events?.storeDown(reason: reason, retryInSeconds: seconds)
        }
    }

    private func sweep(withinSeconds seconds: Double) {
        guard let expiresSeconds, queue != nil else { return }
        let due = loop.clocks.monotonic.advanced(bySeconds: seconds)
        guard sweepDue.map({ due < $0 }) ?? true else { return }
        sweepDue = due
        sweepTimer?.cancel()
        sweepTimer = loop.schedule(afterSeconds: seconds) { [weak self] in
            self?.sweepDue = nil
            self?.add(
                .sweep(expiresSeconds, limit: Self.sweepLimit) { [weak self] answer in
                    // There may be more. (A user without the right to delete leaves it to others; doctor tells.)
                    let isFull = if case .success(Self.sweepLimit...) = answer { true } else { false }
                    self?.sweep(withinSeconds: isFull ? 0 : Self.sweepSeconds)
                })
        }
    }
}
