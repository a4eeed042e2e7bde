// Results in Redis, key for key and command for command as Celery's backend keeps them (docs/wire.md).
import GroupJoin
public import Ports
import TaskModel

/// `GET`, and unless that is a SUCCESS: `MULTI SETEX PUBLISH EXEC`, many tasks' sequences interleaved on one
/// connection. `store` waits for the link as long as it takes; at most `maxWaiting` records wait.
public final class RedisResults: ResultStore {
    /// Records that may wait for the link; what comes beyond is refused (not permanently).
    public static let maxWaiting = 100_000

    public var description: String { address.description }
    public var replyTo: String? { nil }

    let address: RedisAddress
    let loop: any EventLoop
    private var events: (any ResultStoreEvents)?
    private let line: RedisLine
    private var listener: RedisListener?
    let chords: RedisChordOptions
    private let codec: (any ResultCodec)?

    /// - Parameter codec: how documents are written; nil: as they are, in JSON.
    public init(
        address: RedisAddress, loop: any EventLoop, chords: RedisChordOptions = RedisChordOptions(),
        codec: (any ResultCodec)? = nil
    ) {
        self.codec = codec
        self.address = address
        self.loop = loop
        self.chords = chords
        line = RedisLine(address: address, loop: loop, maxWaiting: Self.maxWaiting)
    }

    public func connect(events: any ResultStoreEvents) {
        self.events = events
        line.connect { [weak self] event in self?.linkChanged(event) }
    }

    public func store(_ record: ResultRecord, done: @escaping (StoreFailure?) -> Void) {
        let key = key(of: record.taskID)
        var record = record
        do throws(StoreFailure) {
            record.meta = try encoded(record.meta)
        } catch {
            _ = loop.schedule(afterSeconds: 0) { done(error) }
            return
        }
        line.add(
            RedisRequest(bytes: record.meta.count, done: done) { [weak self] request in
                self?.line.send(["GET".bytes, key.bytes]) { reply in
                    guard let self, self.line.check(reply, request) else { return }
                    if case .bytes(let stored) = reply, StoredMeta.isSuccess(self.decoded(stored)) {
                        return self.line.finish(request)
                    }
                    self.write(record, key, request)
                }
            })
    }

    public func fetch(_ taskID: String, done: @escaping (Result<[UInt8]?, StoreFailure>) -> Void) {
        ask(["GET".bytes, key(of: taskID).bytes]) { [self] in done($0.map { $0.bytes.map(decoded) }) }
    }

    public func follow(_ taskID: String, changed: @escaping ([UInt8]) -> Void) -> any ResultSubscription {
        let listener =
            listener
            ?? RedisListener(address: address, loop: loop) { [weak self] key, done in
                guard let self else { return }
                fetch(String(key.dropFirst(self.key(of: "").count))) { done($0) }
            }
        self.listener = listener
        return listener.add(key(of: taskID)) { [weak self] in changed(self?.decoded($0) ?? $0) }
    }

    public func forget(_ taskID: String, done: @escaping (StoreFailure?) -> Void) {
        ask(["DEL".bytes, key(of: taskID).bytes]) { done($0.failure) }
    }

    /// What is under way is waited for while the link is up; what waits for a link is given up, and said so.
    public func close(done: @escaping () -> Void) {
        listener?.close()
        listener = nil
        line.close()
        events = nil
        _ = loop.schedule(afterSeconds: 0, done)
    }

    /// One command, sent again after a loss of the link: it must bear being done twice.
    func ask(_ words: [[UInt8]], done: @escaping (Result<RedisReply, StoreFailure>) -> Void) {
        line.ask(words, done: done)
    }

    func sendBestEffort(_ words: [[UInt8]], because reason: StaticString) {
        line.sendBestEffort(words, because: reason)
    }

    func encoded(_ document: [UInt8]) throws(StoreFailure) -> [UInt8] { try codec?.encode(document) ?? document }

    /// To JSON. What cannot be read stays as it is; readers find that it is no document.
    func decoded(_ document: [UInt8]) -> [UInt8] {
        guard let codec else { return document }
        do throws(StoreFailure) {
            return try codec.decode(document)
        } catch {
            return document
        }
    }

    /// As Celery names it; also the channel it is announced on.
    func key(of taskID: String) -> String { "\(address.effectivePrefix)celery-task-meta-\(taskID)" }

    /// The transaction of celery-protocol.md §4.4; a subscriber of the channel finds the key set.
    private func write(_ record: ResultRecord, _ key: String, _ request: RedisRequest) {
        let name = key.bytes
        let seconds = record.expiresAfterSeconds.map { Int64(max(0, min($0, 1e15)).rounded(.up)) } ?? 0
        let set: [[UInt8]] =
            seconds > 0
            ? ["SETEX".bytes, name, "\(seconds)".bytes, record.meta]
            : ["SET".bytes, name, record.meta]
        var refused: String?
        let noting: (RedisReply) -> Void = { reply in refused = refused ?? reply.errorText }
        line.send(["MULTI".bytes], done: noting)
        line.send(set, done: noting)
        line.send(["PUBLISH".bytes, name, record.meta], done: noting)
        line.send(["EXEC".bytes]) { [weak self] reply in
            guard let self else { return }
            // The queued command's own error says more than EXEC's "aborted because of previous errors".
            guard line.check(refused.map(RedisReply.error) ?? reply, request) else { return }
            line.finish(request)
        }
    }

    private func linkChanged(_ event: RedisLine.Event) {
        switch event {
        case .up: events?.storeUp()
        case .down(let reason, let seconds), .refusing(let reason, let seconds):
            events?.storeDown(reason: reason, retryInSeconds: seconds)
        // Each command fails with it.
        case .refused: break
        }
    }
}
