import CLinux
// Makes spans of what happens to tasks. The host does it, so a run whose child dies has its span, too.
import CeleryWire
public import Ports
import TaskModel
import TaskhostJSON

/// On the loop. A span is complete once the outcome of its run is recorded; a crash ends it at once.
public final class SpanRecorder: EngineObserver {
    private let system: String
    private let export: (Span) -> Void
    /// Runs under way, by span id: what happened to them so far.
    private var open: [String: (pid: Int32, events: [Span.Event])] = [:]

    /// - Parameter system: of the broker, as OpenTelemetry names it: "rabbitmq", "redis" …
    public convenience init(system: String, exporter: SpanExporter) {
        self.init(system: system) { exporter.add($0) }
    }

    init(system: String, export: @escaping (Span) -> Void) {
        self.system = system
        self.export = export
    }

    public func observed(_ event: TaskEvent, of task: ObservedTask) {
        guard let trace = task.trace, trace.isRecorded else { return }
        switch event {
        case .started(let pid): open[trace.context.spanID] = (pid, [])
        case .reachedSoftLimit(let seconds):
            note("soft time limit", [("taskhost.seconds", .number(seconds))], trace)
        case .reachedHardLimit(let seconds, _):
            note("hard time limit", [("taskhost.seconds", .number(seconds))], trace)
        case .crashed(let death, _, _): end("CRASHED", task, trace, CeleryFailure.workerLost(death), isError: true)
        case .succeeded: end("SUCCESS", task, trace)
        case .failed(let failure): end("FAILURE", task, trace, failure, isError: true)
        case .retried(_, let cause): end("RETRY", task, trace, cause)
        case .revoked: end("REVOKED", task, trace)
        case .rejected(let requeue): end(requeue ? "REQUEUED" : "REJECTED", task, trace)
        case .ignored: end("IGNORED", task, trace)
        case .replaced: end("REPLACED", task, trace)
        case .requeuedAtStop: end("REQUEUED_AT_STOP", task, trace)
        case .received, .deadLettered: break
        }
    }

    private func note(_ name: String, _ attributes: [(key: String, value: Span.Value)], _ trace: RunTrace) {
        open[trace.context.spanID]?.events.append(Span.Event(name: name, at: .now, attributes: attributes))
    }

    /// What ended already (a crash that is final is a failure, too) or never ran has no span here.
    private func end(
        _ state: String, _ task: ObservedTask, _ trace: RunTrace, _ failure: TaskFailure? = nil, isError: Bool = false
    ) {
        guard let run = open.removeValue(forKey: trace.context.spanID), let began = task.beganAt else { return }
        let lasted = task.usage.map { Double($0.wallMicroseconds) / 1e6 }
        let end = lasted.map(began.advanced(bySeconds:)) ?? .now
        var events = [wait(of: task, began)] + run.events
        if let failure { events.append(Self.exception(failure, at: end)) }
        var attributes: [(key: String, value: Span.Value)] = [
            ("messaging.system", .text(system)), ("messaging.operation.name", .text("process")),
            ("messaging.operation.type", .text("process")), ("messaging.destination.name", .text(task.queue)),
            ("messaging.message.id", .text(task.id)), ("celery.action", .text("run")),
            ("celery.task_name", .text(task.name)), ("celery.state", .text(state)),
            ("celery.retries", .integer(Int64(task.retries))), ("process.pid", .integer(Int64(run.pid))),
        ]
        if let root = task.rootID { attributes.append(("messaging.message.conversation_id", .text(root))) }
        if system == "rabbitmq" {
            attributes.append(("messaging.rabbitmq.destination.routing_key", .text(task.routingKey)))
        }
        if isError, let failure { attributes.append(("error.type", .text(Self.type(of: failure)))) }
        export(
            Span(
                context: trace.context, parentSpanID: trace.parentSpanID, name: "run/\(task.name)", start: began,
                end: end, attributes: attributes, events: events,
                error: isError ? failure.map(Self.message(of:)) ?? state : nil))
    }

    private func wait(of task: ObservedTask, _ began: WallTime) -> Span.Event {
        var attributes: [(key: String, value: Span.Value)] = [
            ("taskhost.wait_seconds", .number(max(0, began.seconds(since: task.receivedAt))))
        ]
        if let ready = task.readyAt {
            attributes.append(("taskhost.slot_wait_seconds", .number(max(0, began.seconds(since: ready)))))
        }
        return Span.Event(name: "queue wait", at: began, attributes: attributes)
    }

    private static func exception(_ failure: TaskFailure, at time: WallTime) -> Span.Event {
        var event = Span.Event(
            name: "exception", at: time,
            attributes: [
                ("exception.type", .text(type(of: failure))), ("exception.message", .text(message(of: failure))),
            ])
        if let traceback = failure.traceback {
            event.attributes.append(("exception.stacktrace", .text(String(traceback.prefix(8192)))))
        }
        return event
    }

    private static func type(of failure: TaskFailure) -> String {
        failure.module == "builtins" ? failure.type : "\(failure.module).\(failure.type)"
    }

    /// The first argument if it is a text, as a rule the sentence; else all of them.
    private static func message(of failure: TaskFailure) -> String {
        let all = String(decoding: failure.arguments, as: UTF8.self)
        do throws(JSONError) {
            let first = try JSON(parsing: failure.arguments, limits: .trusted).elements?.first?.text
            return String((first ?? all).prefix(1024))
        } catch {
            return String(all.prefix(1024))
        }
    }
}

extension WallTime {
    static var now: WallTime { WallTime(microseconds: clinux_realtime_us()) }
}
