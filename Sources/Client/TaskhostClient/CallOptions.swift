// What may be said of one call, beside its arguments.
public import FoundationEssentials
public import TaskhostJSON

/// Everything left out is as the task, the worker or the client's options say.
public struct CallOptions: Sendable {
    /// Where to send it. What follows a task is routed by the worker that ran it, unless it names a queue itself.
    public var queue: String?
    /// 0…255; a higher one is run first. (On Redis the lower one, as Celery has it.)
    public var priority: UInt8?
    /// Not to be run before; counts from the sending.
    public var countdown: Duration?
    /// Not to be run before. Wins over `countdown`.
    public var eta: Date?
    /// Not to be run after.
    public var expires: Date?
    /// From the start: then it is killed.
    public var timeLimit: Duration?
    /// From the start: then it is asked to stop.
    public var softTimeLimit: Duration?
    /// Store no result.
    public var ignoreResult: Bool?
    /// Default: a new UUID.
    public var taskID: String?
    /// A name for logs and events.
    public var shadow: String?
    /// Headers of the caller's own: JSON values.
    public var headers: [String: JSON] = [:]

    public init() {}

    /// The members of a signature's `options` (celery-protocol.md §1.5).
    var members: [JSONMember] {
        var members: [JSONMember] = []
        func add(_ key: String, _ value: JSON?) {
            if let value { members.append(JSONMember(key: key, value: value)) }
        }
        add("task_id", taskID.map(JSON.string))
        add("queue", queue.map(JSON.string))
        add("priority", priority.map { .int(Int64($0)) })
        add("eta", eta.map { .string($0.celeryText) })
        if eta == nil { add("countdown", countdown.map { .double($0.inSeconds) }) }
        add("expires", expires.map { .string($0.celeryText) })
        add("time_limit", timeLimit.map { .double($0.inSeconds) })
        add("soft_time_limit", softTimeLimit.map { .double($0.inSeconds) })
        add("ignore_result", ignoreResult.map(JSON.bool))
        add("shadow", shadow.map(JSON.string))
        if !headers.isEmpty {
            let sorted = headers.sorted { $0.key < $1.key }
            add("headers", .object(sorted.map { JSONMember(key: $0.key, value: $0.value) }))
        }
        return members
    }
}
