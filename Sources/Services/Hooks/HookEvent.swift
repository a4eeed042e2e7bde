// An event as hooks receive it: one JSON object. Pure.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

/// Made once for each hook that it concerns.
struct HookEvent: Sendable {
    var id: String
    var trigger: Hook.Trigger
    var task: String
    var taskID: String
    var queue: String
    var json: JSON
    /// Bytes it keeps in memory while it waits, about.
    var weight: Int

    /// nil: such an event goes to no hook.
    static func trigger(of event: TaskEvent) -> Hook.Trigger? {
        switch event {
        case .succeeded: .success
        case .failed: .failure
        case .retried: .retry
        case .revoked: .revoked
        case .crashed: .crash
        case .reachedHardLimit: .timeLimit
        case .deadLettered: .deadLetter
        case .received, .started, .rejected, .ignored, .replaced, .reachedSoftLimit, .requeuedAtStop: nil
        }
    }

    init(
        _ trigger: Hook.Trigger, _ event: TaskEvent, of task: ObservedTask, hook: String, node: String,
        now: WallTime
    ) {
        id = TaskCall.newID()
        self.trigger = trigger
        self.task = task.name
        taskID = task.id
        queue = task.queue
        weight = 1024 + task.argsRepr.utf8.count + task.kwargsRepr.utf8.count + Self.weight(event)
        json = .object(
            [
                JSONMember(key: "event", value: .string(trigger.rawValue)),
                JSONMember(key: "id", value: .string(id)),
                JSONMember(key: "hook", value: .string(hook)),
                JSONMember(key: "time", value: .string(ISO8601.format(now))),
                JSONMember(key: "node", value: .string(node)),
                JSONMember(key: "task", value: Self.task(task)),
            ] + Self.details(event))
    }

    private static func task(_ task: ObservedTask) -> JSON {
        func text(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }
        return [
            "id": .string(task.id), "name": .string(task.name), "args": .string(task.argsRepr),
            "kwargs": .string(task.kwargsRepr), "queue": .string(task.queue), "retries": .int(Int64(task.retries)),
            "root_id": text(task.rootID), "parent_id": text(task.parentID), "group_id": text(task.groupID),
            "runtime": task.usage.map { .double(Double($0.wallMicroseconds) / 1e6) } ?? .null,
        ]
    }

    private static func details(_ event: TaskEvent) -> [JSONMember] {
        switch event {
        case .failed(let failure): [JSONMember(key: "exception", value: exception(failure))]
        case .retried(let seconds, let cause):
            [
                JSONMember(key: "countdown", value: .double(seconds)),
                JSONMember(key: "exception", value: cause.map(exception) ?? .null),
            ]
        case .revoked(let signal, let hasExpired):
            [
                JSONMember(key: "signal", value: signal.map { .int(Int64($0)) } ?? .null),
                JSONMember(key: "expired", value: .bool(hasExpired)),
            ]
        case .crashed(let death, let starts, let maxStarts):
            [
                JSONMember(key: "cause", value: .string(death.causeText)),
                JSONMember(key: "address", value: death.address.map { .string("0x" + String($0, radix: 16)) } ?? .null),
                JSONMember(key: "stack", value: .array(death.stack.prefix(64).map { .string($0) })),
                JSONMember(key: "starts", value: .int(Int64(starts))),
                JSONMember(key: "max_starts", value: .int(Int64(maxStarts))),
            ]
        case .reachedHardLimit(let seconds, let swept):
            [
                JSONMember(key: "seconds", value: .double(seconds)),
                JSONMember(key: "swept", value: .int(Int64(swept))),
            ]
        case .deadLettered(let reason): [JSONMember(key: "reason", value: .string(reason))]
        default: []
        }
    }

    private static func weight(_ event: TaskEvent) -> Int {
        switch event {
        case .failed(let failure), .retried(_, .some(let failure)):
            failure.arguments.count + (failure.traceback?.utf8.count ?? 0)
        case .crashed(let death, _, _): death.stack.reduce(0) { $0 + $1.utf8.count }
        default: 0
        }
    }

    private static func exception(_ failure: TaskFailure) -> JSON {
        [
            "type": .string(failure.type), "module": .string(failure.module),
            "arguments": .string(String(decoding: failure.arguments, as: UTF8.self)),
            "traceback": failure.traceback.map(JSON.string) ?? .null,
        ]
    }
}
