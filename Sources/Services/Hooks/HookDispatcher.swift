// Told by the engine what happens to tasks, tells the operator's hooks. Never waits.
import CHTTP
public import Ports
import Synchronization
public import TaskModel
public import TaskhostJSON

/// What the dispatcher needs of its surroundings.
public struct HookSurroundings {
    public var node: String
    /// "taskhost/0.1.0".
    public var agent: String
    public var children: ChildKeeping
    /// Sends a task with this one argument, on the loop; `done` with a sentence if that failed.
    public var send:
        (_ task: String, _ queue: String?, _ hook: String, _ argument: JSON, _ done: @escaping (String?) -> Void) ->
            Void
    /// Any thread.
    public var log: @Sendable (LogLevel, String) -> Void
    /// Any thread.
    public var count: @Sendable (_ hook: String, HookResult) -> Void

    public init(
        node: String, agent: String, children: ChildKeeping,
        send: @escaping (String, String?, String, JSON, @escaping (String?) -> Void) -> Void,
        log: @escaping @Sendable (LogLevel, String) -> Void, count: @escaping @Sendable (String, HookResult) -> Void
    ) {
        self.node = node
        self.agent = agent
        self.children = children
        self.send = send
        self.log = log
        self.count = count
    }
}

/// On the loop; commands and posts run elsewhere.
public final class HookDispatcher: EngineObserver {
    private let hooks: [Hook]
    private let around: HookSurroundings
    private let loop: any EventLoop
    private let lanes: [String: HookLane]
    private let running = RunningCommands()
    private let isEnding = EndingFlag()
    /// Tasks sent by hooks that are not confirmed yet, by hook.
    private var unsent: [String: (count: Int, bytes: Int)] = [:]

    /// Events of one hook that may wait.
    static let room = 1000
    /// And what they may weigh together, in bytes.
    static let roomBytes = 16 << 20
    /// The header of tasks that hooks send: their events go to no hook, or a failing hook would feed itself.
    public static let header = "taskhost-hook"

    public init(_ hooks: [Hook], loop: any EventLoop, around: HookSurroundings) {
        self.hooks = hooks
        self.loop = loop
        self.around = around
        lanes = Dictionary(
            uniqueKeysWithValues: hooks.map {
                ($0.name, HookLane(name: $0.name, room: Self.room, roomBytes: Self.roomBytes))
            })
        if hooks.contains(where: { if case .post = $0.action { true } else { false } }), http_begin() != 0 {
            around.log(.error, "hooks: libcurl cannot be used; nothing will be posted")
        }
    }

    public func observed(_ event: TaskEvent, of task: ObservedTask) {
        guard let trigger = HookEvent.trigger(of: event), task.headers[Self.header] == nil else { return }
        for hook in hooks where hook.concerns(trigger, task: task.name) {
            let hookEvent = HookEvent(
                trigger, event, of: task, hook: hook.name, node: around.node, now: loop.clocks.wall)
            tell(hook, hookEvent)
        }
    }

    /// What waits is delivered, for at most so long; then what runs is killed.
    public func close(withinSeconds seconds: Double, done: @escaping () -> Void) {
        isEnding.set()
        var left = lanes.count
        var isOver = left == 0
        if isOver { return done() }
        let limit = loop.schedule(afterSeconds: seconds) { [self] in
            guard !isOver else { return }
            isOver = true
            let lost = lanes.values.reduce(0) { $0 + $1.waiting }
            around.log(.warning, "hooks: \(lost) events are not delivered, and given up")
            running.killAll()
            done()
        }
        let oneLess = OnLoop {
            left -= 1
            guard left == 0, !isOver else { return }
            isOver = true
            limit.cancel()
            done()
        }
        let post = LoopPost(loop)
        for lane in lanes.values { lane.whenEmpty { post { oneLess.call() } } }
    }

    private func tell(_ hook: Hook, _ event: HookEvent) {
        switch hook.action {
        case .task(let name, let queue): send(name, queue, hook, event)
        case .command(let words):
            let delivery = CommandDelivery(
                words: words, environment: hook.environment, timeout: hook.timeout, children: around.children,
                running: running)
            let variables = [
                "TASKHOST_EVENT": event.trigger.rawValue, "TASKHOST_HOOK": hook.name, "TASKHOST_TASK": event.task,
                "TASKHOST_TASK_ID": event.taskID, "TASKHOST_QUEUE": event.queue, "TASKHOST_NODE": around.node,
            ]
            add(hook, event) { delivery.run($0, variables) }
        case .post(let url, let secret):
            let delivery = PostDelivery(
                url: url, secret: secret, timeout: hook.timeout, retries: hook.retries, agent: around.agent)
            add(hook, event) { [isEnding] in delivery.run($0, event: event, isEnding: { isEnding.isSet }) }
        }
    }

    private func add(_ hook: Hook, _ event: HookEvent, _ deliver: @escaping @Sendable ([UInt8]) -> String?) {
        let (log, count) = (around.log, around.count)
        let name = hook.name
        let taken = lanes[name]?.add(weight: event.weight) {
            var body: [UInt8] = []
            event.json.write(into: &body)
            let failure = deliver(body)
            count(name, failure == nil ? .delivered : .failed)
            if let failure {
                log(
                    .warning,
                    "hook \(name): \(event.trigger.rawValue) of \(event.task)[\(event.taskID)] not delivered: \(failure)"
                )
            }
        }
        if case .dropped(let tell)? = taken { dropped(hook, tell) }
    }

    private func send(_ task: String, _ queue: String?, _ hook: Hook, _ event: HookEvent) {
        let name = hook.name
        let weight = event.weight
        let present = unsent[name] ?? (0, 0)
        let hasRoom = present.count < Self.room && (present.count == 0 || present.bytes + weight <= Self.roomBytes)
        guard hasRoom else { return dropped(hook, 1) }
        unsent[name] = (present.count + 1, present.bytes + weight)
        around.send(task, queue, name, event.json) { [weak self] failure in
            guard let self else { return }
            if let present = unsent[name] { unsent[name] = (present.count - 1, present.bytes - weight) }
            around.count(name, failure == nil ? .delivered : .failed)
            if let failure {
                around.log(.warning, "hook \(name): \(task) not sent for \(event.task)[\(event.taskID)]: \(failure)")
            }
        }
    }

    private func dropped(_ hook: Hook, _ tell: Int?) {
        around.count(hook.name, .dropped)
        guard let tell else { return }
        around.log(
            .warning,
            "hook \(hook.name): \(tell) events dropped: \(Self.room), or \(Self.roomBytes >> 20) MiB, wait already;"
                + " is it too slow, or down?")
    }
}

/// Set once, read by deliveries.
final class EndingFlag: Sendable {
    private let flag = Atomic(false)
    var isSet: Bool { flag.load(ordering: .relaxed) }
    func set() { flag.store(true, ordering: .relaxed) }
}

/// The one call of the loop that other threads may use.
private struct LoopPost: @unchecked Sendable {
    private let loop: any EventLoop
    init(_ loop: any EventLoop) { self.loop = loop }
    func callAsFunction(_ work: @escaping @Sendable () -> Void) { loop.post(work) }
}

/// Called on the loop's thread only, wherever it is carried.
private struct OnLoop: @unchecked Sendable {
    let call: () -> Void
}
