// What the worker shows over HTTP: metrics, and whether it lives and is ready.
import CoreMetrics
import Dispatch
import Engine
import Foundation
import Hooks
import Logging
import Loop
import Observability
import Ports
import Runner
import TaskModel
import Traces

/// On the loop; gauges are written once a second, so that a scrape never waits for the loop.
final class WorkerWatch {
    private let loop: EpollLoop
    private let engine: Engine
    private let registry: PrometheusRegistry
    private let health = Health()
    private var isReady = false
    private var isStopping = false
    /// Whose figures are shown, too.
    var spans: SpanExporter?
    private var shownSpans = SpanExporter.Counts()
    private let runner: RunnerPool
    private var shownForks = 0

    private static let interval = 1.0
    private static let help = [
        "taskhost_info": "Always 1; the version is a label.",
        "taskhost_slots": "Tasks that may run at a time.",
        "taskhost_running": "Tasks that run now.",
        "taskhost_held": "Messages in the worker's hands that are not settled.",
        "taskhost_credit": "Unsettled messages that the worker wants to hold at most.",
        "taskhost_hooks_total": "Events for hooks: delivered, failed, or dropped because too many wait.",
        "taskhost_queue_paused": "1 while nothing is taken from the queue, because remote control said so.",
        "taskhost_link_up": "1 while the broker is connected.",
        "taskhost_spans_exported_total": "Spans that the collector has taken.",
        "taskhost_spans_dropped_total": "Spans that the collector refused, or that found no room while it was away.",
        "taskhost_publish_seconds": "From publishing a message to the broker's confirmation.",
        "taskhost_store_seconds": "From storing a result or a state to the store's confirmation.",
        "taskhost_stalled": "1 while messages are ready and slots are free, but the broker delivers none.",
        "taskhost_consumed_anew": "Times that was answered by consuming anew.",
        "taskhost_children": "Child processes, by whether they run a task or are ready for one.",
        "taskhost_forks_total": "Children forked.",
        "taskhost_loop_lag_seconds": "By how much the last look at these gauges was late.",
    ]

    init(loop: EpollLoop, engine: Engine, runner: RunnerPool) {
        self.loop = loop
        self.engine = engine
        self.runner = runner
        registry = PrometheusRegistry(help: TaskMetrics.help.merging(Self.help) { first, _ in first })
    }

    func open(_ configuration: Configuration, log: Logger) throws(CommandFailure) {
        guard let port = configuration.metricsPort else { return }
        let server: ScrapeServer
        do {
            server = try ScrapeServer(host: configuration.metricsHost, port: port) { [registry, health] path in
                Self.answer(path, registry, health)
            }
        } catch {
            throw .configuration("\(error)")
        }
        engine.add(observer: TaskMetrics(registry: registry) { [unowned engine] in engine.knows(task: $0) })
        let registry = registry
        engine.onConfirmed = { what, seconds in
            Timer(label: "taskhost_\(what.rawValue)_seconds", dimensions: [], factory: registry)
                .recordNanoseconds(Int64(seconds * 1e9))
        }
        gauge("taskhost_info", 1, [("version", TaskhostCommand.version)])
        look(lateBy: 0)
        Thread.detachNewThread { server.serve() }
        log.info(
            "metrics at http://\(configuration.metricsHost):\(server.port)/metrics",
            metadata: ["event": "metrics", "port": .stringConvertible(server.port)])
    }

    /// From any thread.
    var hookCounter: @Sendable (_ hook: String, HookResult) -> Void {
        { [registry] hook, result in
            Counter(
                label: "taskhost_hooks_total", dimensions: [("hook", hook), ("result", result.rawValue)],
                factory: registry
            ).increment()
        }
    }

    func ready() {
        isReady = true
        health.loopTurned(notReadyBecause: notReadyBecause)
    }

    func stopping() {
        isStopping = true
        health.loopTurned(notReadyBecause: notReadyBecause)
    }

    private func look(lateBy lag: Double) {
        let figures = engine.figures
        gauge("taskhost_slots", Double(figures.slots))
        gauge("taskhost_running", Double(figures.running))
        gauge("taskhost_held", Double(figures.held))
        gauge("taskhost_credit", Double(figures.credit))
        let paused = engine.pausedQueues
        for queue in engine.consumedQueues.map(\.name) {
            gauge("taskhost_queue_paused", paused.contains(queue) ? 1 : 0, [("queue", queue)])
        }
        gauge("taskhost_link_up", figures.isLinkUp ? 1 : 0)
        gauge("taskhost_stalled", engine.isStalled ? 1 : 0)
        gauge("taskhost_consumed_anew", Double(engine.consumedAnew))
        let children = runner.figures
        gauge("taskhost_children", Double(children.busy), [("state", "busy")])
        gauge("taskhost_children", Double(children.ready), [("state", "ready")])
        count("taskhost_forks_total", children.forks - shownForks)
        shownForks = children.forks
        gauge("taskhost_loop_lag_seconds", max(0, lag))
        showSpans()
        health.loopTurned(notReadyBecause: notReadyBecause)
        let due = DispatchTime.now().uptimeNanoseconds + UInt64(Self.interval * 1e9)
        _ = loop.schedule(afterSeconds: Self.interval) { [weak self] in
            self?.look(lateBy: (Double(DispatchTime.now().uptimeNanoseconds) - Double(due)) / 1e9)
        }
    }

    private var notReadyBecause: String? {
        if isStopping { return "stopping" }
        if !engine.figures.isLinkUp { return "not connected to the broker" }
        if engine.isStalled { return "messages are ready and slots are free, but the broker delivers none" }
        if engine.registeredTasks.isEmpty { return "no bundle is loaded" }
        return isReady ? nil : "starting"
    }

    private func showSpans() {
        guard let now = spans?.counts else { return }
        count("taskhost_spans_exported_total", now.exported - shownSpans.exported)
        count("taskhost_spans_dropped_total", now.dropped - shownSpans.dropped)
        shownSpans = now
    }

    private func count(_ name: String, _ more: Int) {
        Counter(label: name, factory: registry).increment(by: Int64(more))
    }

    private func gauge(_ name: String, _ value: Double, _ labels: [(String, String)] = []) {
        Meter(label: name, dimensions: labels, factory: registry).set(value)
    }

    private static func answer(_ path: String, _ registry: PrometheusRegistry, _ health: Health) -> ScrapeAnswer {
        switch path {
        case "/metrics":
            ScrapeAnswer(type: "text/plain; version=0.0.4; charset=utf-8", text: registry.rendered())
        case "/livez": probe(health.notAliveBecause)
        case "/readyz": probe(health.notReadyBecause)
        default: ScrapeAnswer(status: "404 Not Found", text: "there are /metrics, /livez and /readyz\n")
        }
    }

    private static func probe(_ reason: String?) -> ScrapeAnswer {
        reason.map { ScrapeAnswer(status: "503 Service Unavailable", text: $0 + "\n") } ?? ScrapeAnswer(text: "ok\n")
    }
}
