// Beat with a broker: leadership, messages, log lines.
import Beat
import Canvas
import CeleryWire
import Configuration
import Logging
import Loop
import Ports
import TaskModel
import TaskhostJSON

/// Sends the tasks of `[schedules.NAME]` and of bundles while this process leads.
final class BeatSending {
    private let service: BeatService
    private let list: TaskList

    /// By name.
    private final class TaskList {
        var tasks: [String: ScheduledTask]

        init(_ tasks: [ScheduledTask]) { self.tasks = Self.byName(tasks) }

        static func byName(_ tasks: [ScheduledTask]) -> [String: ScheduledTask] {
            Dictionary(tasks.map { ($0.entry.name, $0) }) { $1 }
        }
    }

    /// - Parameters:
    ///   - broker: connected by somebody else.
    ///   - origin: who sends, as messages say it.
    init(
        _ tasks: [ScheduledTask], _ configuration: Configuration, loop: EpollLoop, broker: any Broker,
        leadership: any Leadership, origin: String, log: Logger
    ) {
        let list = TaskList(tasks)
        self.list = list
        let routes = Routes(configuration.routes, defaultQueue: "celery")
        service = BeatService(
            tasks.map(\.entry), disabled: configuration.disabledSchedules, loop: loop, leadership: leadership,
            send: { run, done in
                guard let task = list.tasks[run.name] else { return done(.refused("no such schedule")) }
                let publication = Self.publication(
                    of: task, run, now: loop.clocks.wall, origin: origin, routes: routes, configuration)
                broker.publish(publication) { failure in done(Self.result(failure)) }
            },
            note: { Self.write($0, to: log) })
    }

    /// Other ones from now on.
    func replace(_ tasks: [ScheduledTask]) {
        list.tasks = TaskList.byName(tasks)
        service.replace(tasks.map(\.entry))
    }

    func start() { service.start() }
    func stop(done: @escaping () -> Void) { service.stop(done: done) }

    static func publication(
        of task: ScheduledTask, _ run: DueRun, now: WallTime, origin: String, routes: Routes,
        _ configuration: Configuration
    ) -> Publication {
        var call = TaskCall(task.task, args: task.args, kwargs: task.kwargs, id: run.taskID)
        call.priority = task.priority
        call.expires = task.expires.map(now.advanced(bySeconds:))
        call.headers["celery_beat_task"] = .bool(true)
        let message = call.message(replyTo: nil, origin: origin, now: now)
        let destination = configuration.destination(ofTask: task.task, queue: task.queue, routes)
        return Publication(destination: destination, message: message)
    }

    private static func result(_ failure: BrokerFailure?) -> BeatService.Sending {
        guard let failure else { return .confirmed }
        return failure.isPermanent ? .refused(failure.description) : .failed(failure.description)
    }

    private static func write(_ note: BeatService.Note, to log: Logger) {
        switch note {
        case .leading: log.info("beat: this process sends what is due", metadata: ["event": "beat-leading"])
        case .following:
            log.info("beat: another process sends; this one stands by", metadata: ["event": "beat-following"])
        case .lost(let reason):
            log.warning("beat: sends nothing for now: \(reason)", metadata: ["event": "beat-lost"])
        case .sent(let run):
            log.info(
                "beat: sent \(run.name), due \(ISO8601.format(run.time))",
                metadata: [
                    "event": "beat-sent", "schedule": .string(run.name), "task_id": .string(run.taskID),
                    "due": .string(ISO8601.format(run.time)),
                ])
        case .unsent(let run, let reason):
            log.error(
                "beat: did not send \(run.name), due \(ISO8601.format(run.time)): \(reason)",
                metadata: ["event": "beat-unsent", "schedule": .string(run.name)])
        case .memoryUnreadable:
            log.error("beat: what the last leader stored is not readable; all schedules count from now")
        }
    }
}
