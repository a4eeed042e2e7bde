// What a Redis says of itself. For `taskhost doctor`.
public import Ports
import TaskModel

/// As INFO and TIME tell it.
public struct RedisExamination: Sendable {
    public var version: String
    /// Bytes; 0: no bound.
    public var maxMemory: Int64
    /// "noeviction" …
    public var evictionPolicy: String
    /// Writes go to an append-only file.
    public var isAppendOnly: Bool
    public var isReplica: Bool
    /// Its clock minus ours, in seconds; half of the time the question took is its uncertainty.
    public var clockAhead: Double
    public var clockUncertainty: Double

    /// - Parameter done: called once; a server that cannot be reached at the first attempt is a failure.
    public static func run(
        at address: RedisAddress, loop: any EventLoop,
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
        line.connect { news in
            switch news {
            case .up, .sick: break
            case .down(let reason, _):
                finish(.failure(StoreFailure(reason, fix: "Check that Redis runs there and that the address is right")))
            case .refused(let failure): finish(.failure(failure))
            }
        }
        line.ask(["INFO".bytes]) { answer in
            switch answer {
            case .failure(let failure): finish(.failure(failure))
            case .success(let reply):
                let facts = facts(reply)
                let asked = loop.clocks
                line.ask(["TIME".bytes]) { answer in
                    switch answer {
                    case .failure(let failure): finish(.failure(failure))
                    case .success(let time): finish(.success(Self(facts, time, asked: asked, now: loop.clocks)))
                    }
                }
            }
        }
    }

    private init(_ facts: [String: String], _ time: RedisReply, asked: Clocks, now: Clocks) {
        version = facts["redis_version"] ?? ""
        maxMemory = facts["maxmemory"].flatMap { Int64($0) } ?? 0
        evictionPolicy = facts["maxmemory_policy"] ?? ""
        isAppendOnly = facts["aof_enabled"] == "1"
        isReplica = facts["role"] == "slave"
        let parts = time.texts.compactMap { Double($0) }
        let theirs = parts.count == 2 ? parts[0] + parts[1] / 1e6 : 0
        clockUncertainty = now.monotonic.seconds(since: asked.monotonic) / 2
        clockAhead = theirs - Double(now.wall.microseconds) / 1e6 + clockUncertainty
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
