// What the worker shows over HTTP: metrics, and whether it lives and is ready.
import Configuration
import CoreMetrics
import Dispatch
import Engine
import Hooks
import Logging
import Loop
import Observability
import Output
import Ports
import Runner
import Settings
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
    /// Lines that the log has lost so far.
    var lostLogLines: () -> Int = { 0 }
    private var shownLostLines = 0
    /// Of turns that took too long.
    var loopReport: LoopReport?
    private var shownSlowTurns = 0
    private var shownRecreated = 0
    /// Versions of bundles, by both names.
    private var shownVersions: Set<[String]> = []

    private static let interval = 1.0
    private static let help = [
        "taskhost_info": "Always 1; the version is a label.",
        "taskhost_slots": "Tasks that may run at a time.",
        "taskhost_running": "Tasks that run now.",
        "taskhost_unacknowledged": "Messages that the worker has taken and not yet acknowledged.",
        "taskhost_prefetch": "Unacknowledged messages that the worker takes at most.",
        "taskhost_hooks_total": "Events for hooks: delivered, failed, or dropped because too many wait.",
        "taskhost_queue_paused": "1 while nothing is taken from the queue, because remote control said so.",
        "taskhost_link_up": "1 while the broker is connected.",
        "taskhost_bundle_share": "Part of its bundle's runs that this version gets; 1: all.",
        "taskhost_bundle_rollbacks_total": "Versions of the bundle that were taken back.",
        "taskhost_spans_exported_total": "Spans that the collector has taken.",
        "taskhost_spans_dropped_total": "Spans that the collector refused, or that found no room while it was away.",
        "taskhost_publish_seconds": "From publishing a message to the broker's confirmation.",
        "taskhost_store_seconds": "From storing a result or a state to the store's confirmation.",
        "taskhost_stalled": "1 while messages are ready and slots are free, but the broker delivers none.",
        "taskhost_consumers_recreated_total": "Times that consumers were recreated because of a stall.",
        "taskhost_children": "Child processes, by whether they run a task or are ready for one.",
        "taskhost_forks_total": "Children forked.",
        "taskhost_log_lines_lost_total": "Lines that found no room because the log's reader did not keep up.",
        "taskhost_loop_slow_turns_total": "Turns of the worker's loop that took more than 0.1 s.",
        "taskhost_loop_longest_seconds": "The longest turn so far.",
        "taskhost_loop_longest_computing_seconds": "The most that one slow turn has computed so far.",
        "taskhost_loop_lag_seconds": "By how much the last look at these gauges was late.",
    ]

    init(loop: EpollLoop, engine: Engine, runner: RunnerPool) {
        self.loop = loop
        self.engine = engine
        self.runner = runner
        registry = PrometheusRegistry(help: TaskMetrics.help.merging(Self.help) { first, _ in first })
    }

    func open(_ configuration: Configuration, log: Logger) throws(CommandFailure) {
        guard let port = configuration[Settings.metrics.port] else { return }
        let server: ScrapeServer
        do {
            server = try ScrapeServer(host: configuration[Settings.metrics.host], port: port) {
                [registry, health] path in
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
        gauge("taskhost_info", 1, [("version", ProgramVersion.text)])
        look(lateBy: 0)
        guard OwnThread.run({ server.serve() }) else {
            throw .configuration(
                "the metrics cannot be served: the system gives no more threads", fix: "raise its limit (ulimit -u)")
        }
        log.info(
            "metrics at http://\(configuration[Settings.metrics.host]):\(server.port)/metrics",
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
        gauge("taskhost_unacknowledged", Double(figures.held))
        gauge("taskhost_unrecorded", Double(figures.owed))
        gauge("taskhost_prefetch", Double(figures.credit))
        let paused = engine.pausedQueues
        for queue in engine.consumedQueues.map(\.name) {
            gauge("taskhost_queue_paused", paused.contains(queue) ? 1 : 0, [("queue", queue)])
        }
        gauge("taskhost_link_up", figures.isLinkUp ? 1 : 0)
        gauge("taskhost_stalled", engine.isStalled ? 1 : 0)
        count("taskhost_consumers_recreated_total", engine.consumersRecreated - shownRecreated)
        shownRecreated = engine.consumersRecreated
        let children = runner.figures
        gauge("taskhost_children", Double(children.busy), [("state", "busy")])
        gauge("taskhost_children", Double(children.ready), [("state", "ready")])
        count("taskhost_forks_total", children.forks - shownForks)
        shownForks = children.forks
        let lost = lostLogLines()
        count("taskhost_log_lines_lost_total", lost - shownLostLines)
        shownLostLines = lost
        gauge("taskhost_loop_lag_seconds", max(0, lag))
        gauge("taskhost_loop_longest_seconds", loopReport?.longest ?? 0)
        gauge("taskhost_loop_longest_computing_seconds", loopReport?.longestComputing ?? 0)
        let slowTurns = loopReport?.count ?? 0
        count("taskhost_loop_slow_turns_total", slowTurns - shownSlowTurns)
        shownSlowTurns = slowTurns
        showSpans()
        showVersions()
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
        let figures = engine.figures
        if figures.owesTooMuch {
            return "\(figures.owed) ended tasks wait to be recorded, no more is taken: \(figures.owedBecause)"
        }
        if engine.registeredTasks.isEmpty { return "no bundle is loaded" }
        return isReady ? nil : "starting"
    }

    private func showSpans() {
        guard let now = spans?.counts else { return }
        count("taskhost_spans_exported_total", now.exported - shownSpans.exported)
        count("taskhost_spans_dropped_total", now.dropped - shownSpans.dropped)
        shownSpans = now
    }

    /// From a report of a bundle that was taken back.
    func bundleRolledBack(_ report: BundleReport) {
        Counter(
            label: "taskhost_bundle_rollbacks_total",
            dimensions: [("bundle", report.manifest?.name ?? report.path)], factory: registry
        ).increment()
    }

    private func showVersions() {
        var shares: [[String]: Double] = [:]
        for report in runner.bundles {
            guard let manifest = report.manifest else { continue }
            let names = [manifest.name, manifest.version]
            switch report.status {
            case .active: shares[names] = 1
            case .trial(let share): shares[names] = share
            default: break
            }
        }
        // Beside one on trial the other has the rest.
        for report in runner.bundles {
            guard case .trial(let share) = report.status, let name = report.manifest?.name else { continue }
            for names in shares.keys where names[0] == name && shares[names] == 1 { shares[names] = 1 - share }
        }
        for names in shownVersions.union(shares.keys) {
            gauge("taskhost_bundle_share", shares[names] ?? 0, [("bundle", names[0]), ("version", names[1])])
        }
        shownVersions.formUnion(shares.keys)
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
