// What a user of Redis may do of what a worker needs, asked without doing any of it. For `taskhost doctor`.
import Ports
import TaskModel

/// From Redis 7.0 on a script may ask what its user may do; before, only whether scripts may be run is found out.
struct RedisRights {
    private static let script = """
        local missing = {}
        if not redis.acl_check_cmd then return missing end
        for _, line in ipairs(ARGV) do
            local words = {}
            for word in string.gmatch(line, '[^\\n]+') do words[#words + 1] = word end
            if not redis.acl_check_cmd(unpack(words)) then missing[#missing + 1] = line end
        end
        return missing
        """

    private let questions: [[String]]

    /// - Parameter queues: that are consumed; empty: the server keeps results only.
    init(address: RedisAddress, queues: [String]) {
        let result = "\(address.effectivePrefix)celery-task-meta-0"
        var asked: [[String]] = [
            ["GET", result], ["SET", result, "0"], ["SETEX", result, "1", "0"], ["DEL", result], ["MULTI"], ["EXEC"],
            ["PUBLISH", result, "0"], ["SUBSCRIBE", result],
        ]
        if queues.isEmpty {
            let starts = "\(address.effectivePrefix)taskhost-start-0"
            asked += [["INCR", starts], ["DECR", starts], ["EXPIRE", starts, "1"], ["EXISTS", starts]]
        } else {
            let keys = RedisQueueKeys(prefix: address.keyPrefix)
            let channels = "\(keys.prefix)/\(address.database)."
            asked += queues.flatMap { queue in
                [
                    ["LRANGE", keys.list(queue, step: 0), "-1", "-1"], ["RPOP", keys.list(queue, step: 0)],
                    ["LPUSH", keys.list(queue, step: 0), "0"],
                    ["LLEN", keys.list(queue, step: 9)], ["ZADD", keys.delayed(queue), "0", "0"],
                    ["SADD", keys.bindings(queue), "0"], ["SMEMBERS", keys.bindings(queue)],
                ]
            }
            asked += [
                ["HSET", keys.unacked, "0", "0"], ["HMGET", keys.unacked, "0"], ["HDEL", keys.unacked, "0"],
                ["HEXISTS", keys.unacked, "0"], ["HSET", keys.starts, "0", "0"], ["HSET", keys.served, "0", "0"],
                ["ZADD", keys.index, "0", "0"], ["ZREM", keys.index, "0"], ["ZADD", keys.hosts, "0", "0"],
                ["SET", keys.mutex, "0"], ["SET", keys.lost("0"), "0"], ["TIME"],
                ["PUBLISH", "\(channels)celery.pidbox", "0"], ["PSUBSCRIBE", "\(channels)celery.pidbox"],
                ["PUBLISH", "\(channels)celeryev/0", "0"],
            ]
        }
        questions = asked
    }

    /// "PUBLISH celery-task-meta-0", one for each that is missing; or why scripts cannot be run.
    func ask(_ line: RedisLine, done: @escaping (Result<[String], StoreFailure>) -> Void) {
        let words = ["EVAL", Self.script, "0"] + questions.map { $0.joined(separator: "\n") }
        line.ask(words.map(\.bytes)) { answer in
            done(
                answer.map { reply in
                    reply.texts.map { $0.split(separator: "\n").prefix(2).joined(separator: " ") }
                })
        }
    }
}
