// Tasks that leave marks in Redis.

import TaskhostSDK

struct RedisEcho: TaskHandler {
    static let options = suite.options("redis_echo")
    @Arg var message: JSON
    @Arg var key = "redis-echo"

    enum CodingKeys: String, CodingKey {
        case message
        case key = "redis_key"
    }

    func run(_ task: TaskContext) throws { try RedisConnection().command("RPUSH", key, redisText(message)) }
}

struct RedisEchoGroupID: TaskHandler {
    static let options = suite.options("redis_echo_group_id")
    @Arg var ignored: JSON
    @Arg var key = "redis-group-ids"

    enum CodingKeys: String, CodingKey {
        case ignored = "_"
        case key = "redis_key"
    }

    func run(_ task: TaskContext) throws { try RedisConnection().command("RPUSH", key, task.groupID ?? "None") }
}

struct RedisCount: TaskHandler {
    static let options = suite.options("redis_count")
    @Arg var key = "redis-count"

    enum CodingKeys: String, CodingKey {
        case key = "redis_key"
    }

    func run(_ task: TaskContext) throws { try RedisConnection().command("INCR", key) }
}

struct SumAndRecord: TaskHandler {
    static let options = suite.options("sum_and_record")
    @Arg var values: [JSON]
    @Arg var key: String

    enum CodingKeys: String, CodingKey {
        case values
        case key = "redis_key"
    }

    func run(_ task: TaskContext) throws -> JSON {
        let total = try sum(of: values)
        try RedisConnection().command("RPUSH", key, task.id)
        return total
    }
}

// MARK: errbacks

struct ErrbackOldStyle: TaskHandler {
    static let options = suite.options("errback_old_style")
    @Arg var id: String

    enum CodingKeys: String, CodingKey {
        case id = "request_id"
    }

    func run(_ task: TaskContext) throws -> String {
        try RedisConnection().command("INCR", id)
        return id
    }
}

struct ErrbackOldStyleWithArgs: TaskHandler {
    static let options = suite.options("errback_old_style_with_args")
    @Arg var id: String
    @Arg var label: JSON

    enum CodingKeys: String, CodingKey {
        case id = "request_id"
        case label
    }

    func run(_ task: TaskContext) throws { try RedisConnection().command("RPUSH", id, redisText(label)) }
}

/// What such an errback is told of the task that failed.
struct FailedRequest: Codable, Sendable {
    var id: String
}

struct ErrbackNewStyle: TaskHandler {
    static let options = suite.options("errback_new_style", takesFailure: true)
    @Arg var request: FailedRequest
    @Arg var exception: JSON
    @Arg var traceback: JSON

    enum CodingKeys: String, CodingKey {
        case request
        case exception = "exc"
        case traceback = "tb"
    }

    func run(_ task: TaskContext) throws -> String {
        try RedisConnection().command("INCR", request.id)
        return request.id
    }
}

struct ErrbackNewStyleWithArgs: TaskHandler {
    static let options = suite.options("errback_new_style_with_args", takesFailure: true)
    @Arg var request: FailedRequest
    @Arg var exception: JSON
    @Arg var traceback: JSON
    @Arg var label: JSON

    enum CodingKeys: String, CodingKey {
        case request
        case exception = "exc"
        case traceback = "tb"
        case label
    }

    func run(_ task: TaskContext) throws { try RedisConnection().command("RPUSH", request.id, redisText(label)) }
}
