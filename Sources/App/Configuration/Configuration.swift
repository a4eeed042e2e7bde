package import Canvas
import CeleryWire
package import Control
import Output
package import Ports
package import PythonApp
package import Runner
package import Settings
package import TaskModel
package import Transports

/// What was set, and what had to be worked out from it, once, before anything begins. Values that are used as they were
/// set are read by their keys: `configuration[Settings.worker.grace]`.
package struct Configuration: Sendable, Equatable {
    /// Of flags, environment and file, the stronger ones on top.
    package let settings: SettingsLayer
    package var broker: BrokerAddress
    package var results: ResultsAddress
    /// Where limits lie that all workers keep together.
    package var sharedLimits = SharedLimitsAddress.none
    package var queues: QueueList
    package var concurrency: Int
    /// Slots follow demand between these; `concurrency` is not looked at then.
    package var autoscale: SlotRange?
    package var nodeName: String
    package var isolation = Isolation.asTasksAsk
    /// What holds for tasks that do not say otherwise.
    package var taskDefaults = TaskOptions()
    /// By task name.
    package var tasks: TaskOverrides = [:]
    package var pidfile: String?
    /// Of remote control on this machine; nil: wherever there is a place for it. "none": without.
    package var socket: String?
    /// Where revocations and paused queues are kept between runs.
    package var stateFile: String?
    package var traces = TraceSettings()
    /// What new versions of bundles go through.
    package var trials = TrialOptions()
    /// What the kernel keeps tasks from.
    package var sandbox = Confinement()
    /// Of the key to sign with.
    package var keyPassword: String?
    /// By queue name; only those with a [queues.NAME] of their own, and `*` for the others.
    var declarations: [String: QueueDeclaration] = [:]
    /// Where what follows a task is sent, by names of tasks.
    package var routes: [Routes.Rule] = []
    /// What beat sends.
    package var schedules: [ScheduledTask] = []
    /// Names of those that are switched off, bundles' among them.
    package var disabledSchedules: Set<String> = []
    /// The Celery app that is served.
    package var python: PythonApp?
    /// Hooks on events of tasks.
    package var hooks: [HookSettings] = []

    /// What holds: as set, else the default.
    package subscript<Value>(key: Key<Value>) -> Value { settings[key] }

    package var slotsAtFirst: Int { autoscale?.min ?? concurrency }

    /// "4", or "2 to 10, as needed".
    package var slotsText: String { autoscale.map { "\($0.min) to \($0.max), as needed" } ?? "\(concurrency)" }

    /// How the broker must declare a queue that does not exist.
    package func declaration(of queue: String) -> QueueDeclaration {
        if let own = declarations[queue] { return own }
        guard var usual = declarations["*"] else { return QueueDeclaration(name: queue) }
        usual.name = queue
        return usual
    }

    package var controlPolicy: ControlPolicy {
        ControlPolicy(
            isReadOnly: self[Settings.control.readOnly], requiresSigned: self[Settings.control.requireSigned],
            requiresFresh: self[Settings.control.requireFresh])
    }

    /// Queues that messages may have their answers sent to.
    package var replyTargets: ReplyTargets { ReplyTargets(patterns: self[Settings.security.replyTo]) }
}

/// Where spans go.
package struct TraceSettings: Sendable, Equatable {
    /// nil: none are made.
    package var endpoint: String?
    /// "Name: value".
    package var headers: [String] = []
    /// Variables of OpenTelemetry that are set and have no effect here.
    package var notes: [String] = []
}

/// What the operator says about sharing children.
package enum Isolation: Sendable, Equatable {
    case asTasksAsk
    case alwaysFresh
    /// Tasks that do not choose share a child, so many in turn.
    case keep(Int)

    /// Tasks in turn that share a child; 0: none.
    var count: Int { if case .keep(let count) = self { count } else { 0 } }

    init(_ text: String, origin: String) throws(CommandFailure) {
        switch text.trimmed {
        case "fresh": self = .alwaysFresh
        case let word where word.hasPrefix("keep:"):
            guard let count = Int(word.dropFirst(5)), (1...1_000_000).contains(count) else { fallthrough }
            self = .keep(count)
        default:
            throw .configuration(
                "\(origin): no isolation \"\(text)\"", fix: "write `fresh`, or `keep:N` with N from 1 to 1000000")
        }
    }
}
