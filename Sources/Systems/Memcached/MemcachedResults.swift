// Results in memcached, key for key as Celery's cache backend keeps them (celery-protocol.md §4.8).
import GroupJoin
public import Ports
import TaskModel

/// `add`; where there is a document already, `gets`, and unless that is a SUCCESS `cas`: in one step each, so that no
/// SUCCESS is overwritten, whoever stores at the same time. `store` waits for the server of its key as long as it takes.
public final class MemcachedResults: ResultStore {
    public var description: String { address.description }
    public var replyTo: String? { nil }

    let address: MemcachedAddress
    let loop: any EventLoop
    /// Seconds that what belongs to a chord is kept; nil: for ever.
    let chordsExpireSeconds: Double?
    private let codec: (any ResultCodec)?
    private let choice: ServerChoice
    private var lines: [MemcachedLine] = []
    /// Servers that are up.
    private var up: Set<Int> = []
    private var events: (any ResultStoreEvents)?
    private var followers: ChangeFollowers<[UInt8]>?

    /// Keys that one command asks for.
    private static let keysAtOnce = 100

    public init(address: MemcachedAddress, loop: any EventLoop, options: ResultOptions) {
        self.address = address
        self.loop = loop
        chordsExpireSeconds = options.chordsExpireSeconds
        // Celery does not compress here.
        codec = options.codec?.uncompressed
        choice = ServerChoice(address.servers.map(\.name))
    }

    public func connect(events: any ResultStoreEvents) {
        self.events = events
        lines = address.servers.enumerated().map { index, server in
            MemcachedLine(server: server, loop: loop) { [weak self] event in self?.changed(event, index) }
        }
        for line in lines { line.connect() }
    }

    /// Up is who has all servers: the results of a missing one wait.
    private func changed(_ event: MemcachedLine.Event, _ index: Int) {
        switch event {
        case .up:
            up.insert(index)
            if up.count == lines.count { events?.storeUp() }
        case .down(let reason, let seconds):
            up.remove(index)
            events?.storeDown(reason: reason, retryInSeconds: seconds)
        }
    }

    public func store(_ record: ResultRecord, done: @escaping (StoreFailure?) -> Void) {
        do throws(StoreFailure) {
            let document = try encoded(record.meta)
            let key = try key("celery-task-meta-", record.taskID)
            let expires = expiry(record.expiresAfterSeconds)
            let line = try line(of: key)
            line.ask(
                .store(.add, key, document, expires: expires, version: nil), continues: false
            ) { [weak self] answer in
                self?.stored(answer, key, document, expires, line, done)
            }
        } catch {
            _ = loop.schedule(afterSeconds: 0) { done(error) }
        }
    }

    private func stored(
        _ answer: Result<MemcachedReply, StoreFailure>, _ key: String, _ document: [UInt8], _ expires: Int64,
        _ line: MemcachedLine, _ done: @escaping (StoreFailure?) -> Void
    ) {
        switch answer {
        case .failure(let failure): done(failure)
        case .success(let reply) where reply.word == "STORED": done(nil)
        case .success: replace(key, document, expires, line, done)
        }
    }

    private func replace(
        _ key: String, _ document: [UInt8], _ expires: Int64, _ line: MemcachedLine,
        _ done: @escaping (StoreFailure?) -> Void
    ) {
        line.ask(.get([key])) { [self] answer in
            guard case .success(let reply) = answer else { return done(answer.failure) }
            let command: MemcachedCommand
            if let item = reply.items?.first {
                if StoredMeta.isSuccess(decoded(item.value)) { return done(nil) }
                command = .store(.cas, key, document, expires: expires, version: item.version)
            } else {
                command = .store(.add, key, document, expires: expires, version: nil)
            }
            line.ask(command) { [self] answer in stored(answer, key, document, expires, line, done) }
        }
    }

    public func fetch(_ taskID: String, done: @escaping (Result<[UInt8]?, StoreFailure>) -> Void) {
        read([taskKey(taskID)]) { [self] answer in
            done(answer.map { $0[taskKey(taskID)].map { decoded($0.value) } })
        }
    }

    public func forget(_ taskID: String, done: @escaping (StoreFailure?) -> Void) {
        change([.delete(taskKey(taskID))], done: done)
    }

    /// Nothing tells of a change, so what is followed is looked at again and again, all keys of a server at once.
    public func follow(_ taskID: String, changed: @escaping ([UInt8]) -> Void) -> any ResultSubscription {
        let followers =
            followers ?? ChangeFollowers(loop: loop) { [weak self] seen, done in self?.look(seen, done) }
        self.followers = followers
        return followers.add(taskID) { [weak self] in changed(self?.decoded($0) ?? $0) }
    }

    private func look(
        _ seen: [ChangeFollowers<[UInt8]>.Seen], _ done: @escaping ([ChangeFollowers<[UInt8]>.Change]?) -> Void
    ) {
        var byKey: [String: ChangeFollowers<[UInt8]>.Seen] = [:]
        for one in seen { byKey[taskKey(one.taskID)] = one }
        var changes: [ChangeFollowers<[UInt8]>.Change] = []
        let questions = gets(Array(byKey.keys))
        // Counted as one of its own: answers may come at once.
        var left = questions.count + 1
        let finish = {
            left -= 1
            if left == 0 { done(changes) }
        }
        for (line, keys) in questions {
            // A server that is away is looked at the next time.
            line.askNow(.get(keys)) { reply in
                for item in reply?.items ?? [] {
                    guard let one = byKey[item.key], one.version != "\(item.version)" else { continue }
                    changes.append(.init(taskID: one.taskID, shown: item.value, version: "\(item.version)"))
                }
                finish()
            }
        }
        finish()
    }

    /// What waits is given up, and said so.
    public func close(done: @escaping () -> Void) {
        followers?.close()
        followers = nil
        for line in lines { line.close() }
        lines = []
        events = nil
        _ = loop.schedule(afterSeconds: 0, done)
    }

    // ---- documents and keys ----

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

    func taskKey(_ taskID: String) -> String { "\(address.effectivePrefix)celery-task-meta-\(taskID)" }

    /// - Throws: `unfit`: memcached takes no such key.
    func key(_ kind: String, _ id: String) throws(StoreFailure) -> String {
        let key = address.effectivePrefix + kind + id
        guard MemcachedKey.isValid(key) else {
            throw StoreFailure(
                "memcached takes no key like \"\(kind)\(id.prefix(80))\": at most \(MemcachedKey.maxBytes) bytes of "
                    + "ASCII without blanks",
                .unfit, fix: "Give tasks and groups such ids, as UUIDs are")
        }
        return key
    }

    func expiry(_ seconds: Double?) -> Int64 {
        MemcachedExpiry.text(seconds, now: loop.clocks.wall.microseconds / 1_000_000)
    }

    // ---- asking ----

    func line(of key: String) throws(StoreFailure) -> MemcachedLine {
        let index = choice.index(of: key)
        guard lines.indices.contains(index) else { throw StoreFailure("The connection to \(address) is closed") }
        return lines[index]
    }

    private func gets(_ keys: [String]) -> [(MemcachedLine, [String])] {
        var byServer: [Int: [String]] = [:]
        // No document lies under a key that cannot be.
        for key in keys where MemcachedKey.isValid(key) { byServer[choice.index(of: key), default: []].append(key) }
        var questions: [(MemcachedLine, [String])] = []
        for (index, keys) in byServer.sorted(by: { $0.key < $1.key }) where lines.indices.contains(index) {
            for start in stride(from: 0, to: keys.count, by: Self.keysAtOnce) {
                questions.append((lines[index], Array(keys[start..<min(start + Self.keysAtOnce, keys.count)])))
            }
        }
        return questions
    }

    /// What lies under these keys, on whichever servers.
    func read(
        _ keys: [String], done: @escaping (Result<[String: MemcachedReply.Item], StoreFailure>) -> Void
    ) {
        let questions = gets(keys)
        guard !questions.isEmpty else {
            let closed = StoreFailure("The connection to \(address) is closed")
            let answer: Result<[String: MemcachedReply.Item], StoreFailure> =
                lines.isEmpty ? .failure(closed) : .success([:])
            _ = loop.schedule(afterSeconds: 0) { done(answer) }
            return
        }
        var found: [String: MemcachedReply.Item] = [:]
        var failure: StoreFailure?
        var left = questions.count
        for (line, keys) in questions {
            line.ask(.get(keys)) { answer in
                switch answer {
                case .failure(let reason): failure = failure ?? reason
                case .success(let reply): for item in reply.items ?? [] { found[item.key] = item }
                }
                left -= 1
                if left == 0 { done(failure.map(Result.failure) ?? .success(found)) }
            }
        }
    }

    /// Commands whose answers say nothing that matters; one after the other on each server.
    /// - Parameter done: the first failure.
    func change(_ commands: [MemcachedCommand], done: @escaping (StoreFailure?) -> Void) {
        var failure: StoreFailure?
        // Counted as one of its own: answers may come at once.
        var left = commands.count + 1
        let finish: (StoreFailure?) -> Void = { reason in
            failure = failure ?? reason
            left -= 1
            if left == 0 { done(failure) }
        }
        for command in commands {
            do throws(StoreFailure) {
                // No document lies under a key that cannot be.
                guard MemcachedKey.isValid(command.key) else {
                    finish(nil)
                    continue
                }
                try line(of: command.key).ask(command) { finish($0.failure) }
            } catch {
                finish(error)
            }
        }
        _ = loop.schedule(afterSeconds: 0) { finish(nil) }
    }
}

extension MemcachedCommand {
    /// The first one, where there are several.
    var key: String {
        switch self {
        case .get(let keys): keys.first ?? ""
        case .store(_, let key, _, _, _), .increment(let key), .decrement(let key), .touch(let key, _),
            .delete(let key):
            key
        case .version, .stats: ""
        }
    }
}

extension Result where Failure == StoreFailure {
    var failure: StoreFailure? { if case .failure(let failure) = self { failure } else { nil } }
}
