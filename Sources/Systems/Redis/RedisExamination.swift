// What a Redis says of itself, and lets us do. For `taskhost doctor`.
public import Ports
import TaskModel

/// As HELLO, INFO and TIME give it, and a script that asks for rights.
public struct RedisExamination: Sendable {
    /// "Redis", "Valkey" …
    public var server: String
    public var version: String
    /// What only INFO says; nil: we may not ask, as `settingsRefusal` says.
    public var settings: Settings?
    public var settingsRefusal: String?
    public var isReplica: Bool
    /// Its clock minus ours, in seconds; half of the time the question took is its uncertainty.
    public var clockAhead: Double
    public var clockUncertainty: Double
    /// "PUBLISH celery-task-meta-0" …: what a worker does and this user may not; before Redis 7.0 nothing is found.
    public var missingRights: [String]
    /// Why scripts cannot be run; a worker needs them.
    public var scriptRefusal: StoreFailure?

    public struct Settings: Sendable {
        /// Bytes; 0: no bound.
        public var maxMemory: Int64
        /// "noeviction" …
        public var evictionPolicy: String
        /// Writes go to an append-only file.
        public var isAppendOnly: Bool

        public init(maxMemory: Int64 = 0, evictionPolicy: String = "noeviction", isAppendOnly: Bool = true) {
            self.maxMemory = maxMemory
            self.evictionPolicy = evictionPolicy
            self.isAppendOnly = isAppendOnly
        }
    }

    public init(
        server: String, version: String, settings: Settings?, settingsRefusal: String? = nil, isReplica: Bool = false,
        clockAhead: Double = 0, clockUncertainty: Double = 0, missingRights: [String] = [],
        scriptRefusal: StoreFailure? = nil
    ) {
        self.server = server
        self.version = version
        self.settings = settings
        self.settingsRefusal = settingsRefusal
        self.isReplica = isReplica
        self.clockAhead = clockAhead
        self.clockUncertainty = clockUncertainty
        self.missingRights = missingRights
        self.scriptRefusal = scriptRefusal
    }

    /// - Parameters:
    ///   - queues: that a worker would consume there; empty: it keeps results only.
    ///   - done: called once; a server that cannot be reached at the first attempt is a failure.
    public static func run(
        at address: RedisAddress, queues: [String], loop: any EventLoop,
        done: @escaping (Result<RedisExamination, StoreFailure>) -> Void
    ) {
        let line = RedisLine(address: address, loop: loop, maxWaiting: 10)
        var finished = false
        func finish(_ result: Result<RedisExamination, StoreFailure>) {
            guard !finished else { return }
            finished = true
            done(result)
            // Not from within a callback of its own.
            _ = loop.schedule(afterSeconds: 0) { line.close() }
        }
        line.connect { event in
            switch event {
            case .up, .refusing: break
            case .down(let reason, _):
                finish(.failure(StoreFailure(reason, fix: "Check that Redis runs there and that the address is right")))
            case .refused(let failure): finish(.failure(failure))
            }
        }
        var found = RedisExamination(server: "Redis", version: "", settings: nil)
        // In their order, each whatever became of the one before.
        line.ask(["HELLO".bytes]) { answer in
            if case .success(let reply) = answer { found.greeted(reply) }
        }
        line.ask(["INFO".bytes]) { answer in
            switch answer {
            case .success(let reply): found.informed(facts(reply))
            case .failure(let failure): found.settingsRefusal = failure.detail
            }
        }
        RedisRights(address: address, queues: queues).ask(line) { answer in
            switch answer {
            case .success(let missing): found.missingRights = missing
            case .failure(let failure): found.scriptRefusal = failure
            }
        }
        var asked: Clocks?
        line.add(
            RedisRequest(done: { failure in finish(failure.map(Result.failure) ?? .success(found)) }) { request in
                asked = loop.clocks
                line.send(["TIME".bytes]) { reply in
                    guard line.check(reply, request) else { return }
                    if let asked { found.timed(reply, asked: asked, now: loop.clocks) }
                    line.finish(request)
                }
            })
    }

    /// server, "redis", version, "8.0.6", …, role, "master"; also of users who may not INFO.
    private mutating func greeted(_ reply: RedisReply) {
        let words = (reply.items ?? []).map { String(decoding: $0.bytes ?? [], as: UTF8.self) }
        for pair in stride(from: 0, to: words.count - 1, by: 2) {
            switch words[pair] {
            case "server": server = words[pair + 1].prefix(1).uppercased() + words[pair + 1].dropFirst()
            case "version": version = words[pair + 1]
            case "role": isReplica = words[pair + 1] == "replica" || words[pair + 1] == "slave"
            default: break
            }
        }
    }

    private mutating func informed(_ facts: [String: String]) {
        // Valkey calls itself a Redis 7.2.4 for clients that look for one.
        if facts["server_name"] == "valkey", let own = facts["valkey_version"] {
            server = "Valkey"
            version = own
        } else if version.isEmpty {
            version = facts["redis_version"] ?? ""
        }
        isReplica = isReplica || facts["role"] == "slave"
        settings = Settings(
            maxMemory: facts["maxmemory"].flatMap { Int64($0) } ?? 0, evictionPolicy: facts["maxmemory_policy"] ?? "",
            isAppendOnly: facts["aof_enabled"] == "1")
    }

    private mutating func timed(_ time: RedisReply, asked: Clocks, now: Clocks) {
        let parts = time.texts.compactMap { Double($0) }
        guard parts.count == 2 else { return }
        clockUncertainty = now.monotonic.seconds(since: asked.monotonic) / 2
        clockAhead = parts[0] + parts[1] / 1e6 - Double(now.wall.microseconds) / 1e6 + clockUncertainty
    }

    private static func facts(_ reply: RedisReply) -> [String: String] {
        var facts: [String: String] = [:]
        for line in String(decoding: reply.bytes ?? [], as: UTF8.self).split(whereSeparator: \.isNewline) {
            let pair = line.split(separator: ":", maxSplits: 1)
            if pair.count == 2 { facts[String(pair[0])] = String(pair[1]) }
        }
        return facts
    }
}
