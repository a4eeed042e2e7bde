// Tasks that tell about their own request.

import TaskhostSDK

private func optional(_ text: String?) -> JSON { text.map { .string($0) } ?? nil }

struct Ids: TaskHandler {
    static let options = suite.options("ids")
    @Arg var i: JSON

    func run(_ task: TaskContext) -> JSON { [optional(task.rootID), optional(task.parentID), i] }
}

struct CollectIds: TaskHandler {
    static let options = suite.options("collect_ids")
    @Arg var res: JSON
    @Arg var i: JSON

    func run(_ task: TaskContext) -> JSON { [res, [optional(task.rootID), optional(task.parentID), i]] }
}

struct ReturnPriority: TaskHandler {
    static let options = suite.options("return_priority")
    @Rest var others: [JSON]

    func run(_ task: TaskContext) -> String { "Priority: \(task.priority ?? 0)" }
}

struct ReturnRequestETA: TaskHandler {
    static let options = suite.options("return_request_eta")

    func run(_ task: TaskContext) -> JSON { task.headers["eta"] ?? nil }
}

struct ReturnProperties: TaskHandler {
    static let options = suite.options("return_properties")

    func run(_ task: TaskContext) -> JSON { task.properties }
}

/// As the message says them; where it says nothing, as the task declares them.
private func timeLimits(_ task: TaskContext, declared: (hard: JSON, soft: JSON) = (nil, nil)) -> JSON {
    let given = task.headers["timelimit"]?.elements ?? []
    func limit(_ index: Int, _ otherwise: JSON) -> JSON {
        index < given.count && !given[index].isNull ? given[index] : otherwise
    }
    return ["time_limit": limit(0, declared.hard), "soft_time_limit": limit(1, declared.soft)]
}

struct ReturnRequestTimeLimits: TaskHandler {
    static let options = suite.options("return_request_time_limits")

    func run(_ task: TaskContext) -> JSON { timeLimits(task) }
}

struct TaskWithDeclaredTimeLimits: TaskHandler {
    static let options = suite.options(
        "task_with_declared_time_limits", softLimit: .seconds(45), hardLimit: .seconds(60))

    func run(_ task: TaskContext) -> JSON { timeLimits(task, declared: (60, 45)) }
}
