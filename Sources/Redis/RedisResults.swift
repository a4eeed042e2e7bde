// Results in Redis, key for key and command for command as Celery's backend keeps them (docs/wire.md).
public import Ports
import TaskModel

/// `GET`, and unless that is a SUCCESS: `MULTI SETEX PUBLISH EXEC`, many tasks' sequences interleaved on one
/// connection. `store` waits for the link as long as it takes; at most `maxWaiting` records wait.
public final class RedisResults: ResultStore {
    /// Records that may wait for the link; what comes beyond is refused (not permanently).
    public static let maxWaiting = 100_000
    /// Sequences under way at once: what a loss of the link makes us repeat.
    private static let maxUnderWay = 512
    private static let sickPause = 0.2...5.0

    public var description: String { address.description }
    public var replyTo: String? { nil }

    let address: RedisAddress
    let loop: any EventLoop
    private var events: (any ResultStoreEvents)?
    private var link: RedisLink?
    private var listener: RedisListener?
    private var waiting: [RedisRequest] = []
    private var underWay = 0
    /// Why nothing can be stored until the link is up again.
    private var refusal: StoreFailure?
    /// Redis is up and refuses writes for now.
    private var sickTimer: (any LoopTimer)?
    private var sickPause = sickPause.lowerBound
    private(set) var isClosed = false
    let chords: RedisChordOptions

    public init(address: RedisAddress, loop: any EventLoop, chords: RedisChordOptions = RedisChordOptions()) {
        self.address = address
        self.loop = loop
        self.chords = chords
    }

    public func connect(events: any ResultStoreEvents) {
        self.events = events
        let link = RedisLink(address: address, loop: loop) { [weak self] news in self?.heard(news) }
        self.link = link
        link.connect()
    }

    public func store(_ record: ResultRecord, done: @escaping (StoreFailure?) -> Void) {
        let key = key(of: record.taskID)
        add(
            RedisRequest(done: done) { [weak self] request in
                self?.link?.send(["GET", key]) { reply in
                    guard let self, self.check(reply, request) else { return }
                    if case .bytes(let stored) = reply, StoredMeta.isSuccess(stored) { return self.finish(request) }
                    self.write(record, key, request)
                }
            })
    }

    public func fetch(_ taskID: String, done: @escaping (Result<[UInt8]?, StoreFailure>) -> Void) {
        let key = key(of: taskID)
        var found: [UInt8]?
        add(
            RedisRequest(done: { failure in done(failure.map(Result.failure) ?? .success(found)) }) {
                [weak self] request in
                self?.link?.send(["GET", key]) { reply in
                    guard let self, self.check(reply, request) else { return }
                    if case .bytes(let bytes) = reply { found = bytes }
                    self.finish(request)
                }
            })
    }

    public func follow(_ taskID: String, changed: @escaping ([UInt8]) -> Void) -> any ResultSubscription {
        let listener =
            listener
            ?? RedisListener(address: address, loop: loop) { [weak self] key, done in
                guard let self else { return }
                fetch(String(key.dropFirst(self.key(of: "").count))) { done($0) }
            }
        self.listener = listener
        return listener.add(key(of: taskID), changed)
    }

    public func forget(_ taskID: String, done: @escaping (StoreFailure?) -> Void) {
        let key = key(of: taskID)
        add(
            RedisRequest(done: done) { [weak self] request in
                self?.link?.send(["DEL", key]) { reply in
                    guard let self, self.check(reply, request) else { return }
                    self.finish(request)
                }
            })
    }

    /// What is under way is waited for while the link is up; what waits for a link is given up, and said so.
    public func close(done: @escaping () -> Void) {
        isClosed = true
        sickTimer?.cancel()
        listener?.close()
        listener = nil
        giveUpWaiting(StoreFailure("The connection to \(address) was closed before the result was stored"))
        link?.close()
        link = nil
        events = nil
        _ = loop.schedule(afterSeconds: 0, done)
    }

    /// One command, sent again after a loss of the link: it must bear being done twice.
    func ask(_ words: [[UInt8]], done: @escaping (Result<RedisReply, StoreFailure>) -> Void) {
        var answer = RedisReply.none
        add(
            RedisRequest(done: { failure in done(failure.map(Result.failure) ?? .success(answer)) }) {
                [weak self] request in
                self?.link?.send(words) { reply in
                    guard let self, self.check(reply, request) else { return }
                    answer = reply
                    self.finish(request)
                }
            })
    }

    /// As Celery names it; also the channel it is announced on.
    func key(of taskID: String) -> String { "\(address.effectivePrefix)celery-task-meta-\(taskID)" }

    /// The transaction of celery-wire.md §4.4; whoever waits on the channel finds the key set.
    private func write(_ record: ResultRecord, _ key: String, _ request: RedisRequest) {
        let name = [UInt8](key.utf8)
        let seconds = record.expiresAfterSeconds.map { Int64(max(0, min($0, 1e15)).rounded(.up)) } ?? 0
        let set: [[UInt8]] =
            seconds > 0
            ? [Array("SETEX".utf8), name, Array(String(seconds).utf8), record.meta]
            : [Array("SET".utf8), name, record.meta]
        var refused: String?
        let noting: (RedisReply) -> Void = { reply in refused = refused ?? reply.errorText }
        link?.send(["MULTI"], done: noting)
        link?.send(set, done: noting)
        link?.send([Array("PUBLISH".utf8), name, record.meta], done: noting)
        link?.send(["EXEC"]) { [weak self] reply in
            guard let self else { return }
            // The queued command's own error tells more than EXEC's "aborted because of previous errors".
            guard check(refused.map(RedisReply.error) ?? reply, request) else { return }
            finish(request)
        }
    }
}

extension RedisResults {
    private func add(_ request: RedisRequest) {
        let failure: StoreFailure? =
            if isClosed {
                StoreFailure("The connection to \(address) is closed")
            } else if let refusal {
                refusal
            } else if waiting.count >= Self.maxWaiting {
                StoreFailure(
                    "\(Self.maxWaiting) results already wait for \(address)", fix: "See why it is not reachable")
            } else {
                nil
            }
        if let failure {
            _ = loop.schedule(afterSeconds: 0) { request.done(failure) }
            return
        }
        waiting.append(request)
        pump()
    }

    private func pump() {
        guard let link, link.isUp, sickTimer == nil, !waiting.isEmpty, underWay < Self.maxUnderWay else { return }
        let batch = Array(waiting.prefix(Self.maxUnderWay - underWay))
        waiting.removeFirst(batch.count)
        underWay += batch.count
        for request in batch { request.begin(request) }
    }

    /// False when the request has to wait, or has failed.
    private func check(_ reply: RedisReply, _ request: RedisRequest) -> Bool {
        if case .linkLost = reply {
            underWay -= 1
            if isClosed {
                request.done(StoreFailure("The connection to \(address) was closed before the answer came"))
            } else {
                waiting.append(request)
            }
            return false
        }
        guard let text = reply.errorText else { return true }
        underWay -= 1
        switch RedisTrouble(text, at: address) {
        case .passing(let reason):
            waiting.append(request)
            pause(reason)
        case .wrongServer(let reason):
            waiting.append(request)
            link?.drop(reason)
        case .permanent(let failure):
            request.done(failure)
            pump()
        }
        return false
    }

    private func finish(_ request: RedisRequest) {
        underWay -= 1
        if sickPause > Self.sickPause.lowerBound, sickTimer == nil {
            sickPause = Self.sickPause.lowerBound
            events?.storeUp()
        }
        request.done(nil)
        pump()
    }

    private func pause(_ reason: String) {
        guard sickTimer == nil else { return }
        let seconds = sickPause
        sickPause = min(sickPause * 2, Self.sickPause.upperBound)
        sickTimer = loop.schedule(afterSeconds: seconds) { [weak self] in
            self?.sickTimer = nil
            self?.pump()
        }
        events?.storeDown(reason: reason, retryInSeconds: seconds)
    }

    private func heard(_ news: RedisLink.News) {
        switch news {
        case .up:
            refusal = nil
            sickTimer?.cancel()
            sickTimer = nil
            sickPause = Self.sickPause.lowerBound
            events?.storeUp()
            pump()
        case .down(let reason, let seconds):
            events?.storeDown(reason: reason, retryInSeconds: seconds)
        case .refused(let failure):
            refusal = failure
            giveUpWaiting(failure)
        }
    }

    private func giveUpWaiting(_ failure: StoreFailure) {
        let given = waiting
        waiting = []
        for request in given { request.done(failure) }
    }
}

/// Something to ask of Redis, from its first command; begun again after a loss of the link.
final class RedisRequest {
    let begin: (RedisRequest) -> Void
    let done: (StoreFailure?) -> Void

    init(done: @escaping (StoreFailure?) -> Void, begin: @escaping (RedisRequest) -> Void) {
        self.begin = begin
        self.done = done
    }
}

extension RedisLink {
    func send(_ words: [String], done: @escaping (RedisReply) -> Void) {
        send(words.map { [UInt8]($0.utf8) }, done: done)
    }
}
