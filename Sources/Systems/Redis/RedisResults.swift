// Results in Redis, key for key and command for command as Celery's backend keeps them (docs/wire.md).
public import Ports
import TaskModel

/// Many tasks' sequences are interleaved on one connection (RedisResults+Store). `store` waits for the link as long as it takes; at most `maxWaiting` records wait.
public final class RedisResults: ResultStore {
    /// Records that may wait for the link; what comes beyond is refused (not permanently).
    public static let maxWaiting = 100_000

    public var description: String { address.description }
    public var replyTo: String? { nil }

    let address: RedisAddress
    let loop: any EventLoop
    private var events: (any ResultStoreEvents)?
    let line: RedisLine
    /// The SHA-1 of `FirstResult.script`, once this server has it; nil: not asked yet, or it lets us run none.
    var scriptHash: [UInt8]?
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
                self?.begin(record, key, request)
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

    private func linkChanged(_ event: RedisLine.Event) {
        switch event {
        case .up:
            loadScript()
            events?.storeUp()
        case .down(let reason, let seconds), .refusing(let reason, let seconds):
            events?.storeDown(reason: reason, retryInSeconds: seconds)
        // Each command fails with it.
        case .refused: break
        }
    }
}
