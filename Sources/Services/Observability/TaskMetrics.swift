// Counts what happens to tasks.
import CoreMetrics
public import Ports
import TaskModel

/// On the loop. A task is named by its own name if it is known here, else "other": names in messages are the
/// sender's choice, and must not make us grow.
public final class TaskMetrics: EngineObserver {
    private let registry: PrometheusRegistry
    private let isKnown: (String) -> Bool
    private var counters: [Key: Counter] = [:]
    private var timers: [Key: Timer] = [:]

    private struct Key: Hashable {
        var metric: String
        var task: String
        var other: String
    }

    public static let help = [
        "taskhost_tasks_received_total": "Messages of tasks taken.",
        "taskhost_tasks_started_total": "Starts; a task that starts again is counted again.",
        "taskhost_tasks_total": "What came of messages, counted once the outcome is recorded.",
        "taskhost_task_crashes_total": "Children that died under a task.",
        "taskhost_task_time_limits_total": "Time limits reached.",
        "taskhost_dead_letters_total": "Messages put into the dead-letter queue.",
        "taskhost_task_run_seconds": "How long the start lasted that led to the outcome.",
        "taskhost_task_wait_seconds": "From the arrival of the message to the start.",
        "taskhost_task_slot_wait_seconds": "From being free to start to the start: the wait for a slot.",
    ]

    public init(registry: PrometheusRegistry, isKnown: @escaping (String) -> Bool) {
        self.registry = registry
        self.isKnown = isKnown
    }

    public func observed(_ event: TaskEvent, of task: ObservedTask) {
        let name = isKnown(task.name) ? task.name : "other"
        switch event {
        case .received: count("taskhost_tasks_received_total", name)
        case .started:
            count("taskhost_tasks_started_total", name)
            if let began = task.beganAt {
                time("taskhost_task_wait_seconds", name, began.seconds(since: task.receivedAt))
                if let ready = task.readyAt {
                    time("taskhost_task_slot_wait_seconds", name, began.seconds(since: ready))
                }
            }
        case .succeeded: ended("succeeded", name, task)
        // `rejected` follows, and one message has one outcome.
        case .failed(let failure) where failure.type == "Reject" && failure.module == "celery.exceptions": break
        case .failed: ended("failed", name, task)
        case .retried: ended("retried", name, task)
        case .revoked(_, let hasExpired): ended(hasExpired ? "expired" : "revoked", name, task)
        case .rejected(let requeue): ended(requeue ? "requeued" : "rejected", name, task)
        case .ignored: ended("ignored", name, task)
        case .replaced: ended("replaced", name, task)
        case .requeuedAtStop: ended("requeued_at_stop", name, task)
        case .crashed(let death, _, _): count("taskhost_task_crashes_total", name, "cause", Self.cause(death))
        case .reachedSoftLimit: count("taskhost_task_time_limits_total", name, "limit", "soft")
        case .reachedHardLimit: count("taskhost_task_time_limits_total", name, "limit", "hard")
        case .deadLettered: count("taskhost_dead_letters_total", name)
        }
    }

    private func ended(_ state: String, _ name: String, _ task: ObservedTask) {
        count("taskhost_tasks_total", name, "state", state)
        guard task.beganAt != nil, let usage = task.usage else { return }
        time("taskhost_task_run_seconds", name, Double(usage.wallMicroseconds) / 1e6)
    }

    private static func cause(_ death: Death) -> String {
        switch death.cause {
        case .signal(let number): "signal \(number)"
        case .exit: "exit"
        case .protocolViolation: "protocol"
        case .zygoteLost: "zygote"
        }
    }

    private func count(_ metric: String, _ task: String, _ label: String? = nil, _ value: String = "") {
        let key = Key(metric: metric, task: task, other: value)
        if let known = counters[key] { return known.increment() }
        let dimensions = [("task", task)] + (label.map { [($0, value)] } ?? [])
        let made = Counter(label: metric, dimensions: dimensions, factory: registry)
        counters[key] = made
        made.increment()
    }

    private func time(_ metric: String, _ task: String, _ seconds: Double) {
        let key = Key(metric: metric, task: task, other: "")
        let timer = timers[key] ?? Timer(label: metric, dimensions: [("task", task)], factory: registry)
        timers[key] = timer
        // Clocks may be set back.
        timer.recordNanoseconds(Int64(max(0, min(seconds, 1e9)) * 1e9))
    }
}
