// A worker at work: what happens goes to `WorkerLife`, and what that decides is done to the parts.
import CLinux
package import Configuration
import Control
import Engine
import Glibc
import Hooks
import Logging
import Loop
package import Output
import Ports
package import Runner
import Settings

package final class WorkerRun {
    private let parts: WorkerParts
    private var life: WorkerLife
    /// None of the bundles could be loaded.
    private var refusals: CommandFailure?

    /// What hooks may still deliver at the end, in seconds.
    private static let hookSeconds = 5.0

    /// - Parameters:
    ///   - schedules: what the operator says of schedules; nil: not a beat.
    ///   - early: a zygote that loads already.
    /// - Throws: what keeps this worker from being put together.
    package init(
        configuration: Configuration, log: LogSetup, environment: [String: String], schedules: ConfigurationBuilder?,
        early: EarlyZygote? = nil
    ) throws(CommandFailure) {
        parts = try WorkerParts(
            configuration: configuration, log: log, environment: environment, schedules: schedules, early: early)
        life = WorkerLife(
            signals: StopSignals(
                softSeconds: configuration[Settings.worker.softShutdownTimeout],
                treatsTermAsQuit: configuration[Settings.worker.treatsTermAsQuit]),
            hasBeat: schedules != nil)
    }

    /// Serves until a signal or a broker that cannot work ends it.
    package func run() throws(CommandFailure) -> ExitStatus {
        let (configuration, engine, loop, log) = (parts.configuration, parts.engine, parts.loop, parts.log)
        defer { parts.remote.closeServer() }
        SelfProtection.begin(configuration.sandbox, log: log)
        let pidfile = try configuration.pidfile.map { path throws(CommandFailure) in try Pidfile(path: path) }
        defer { pidfile?.remove() }
        let state = try configuration.stateFile.map { path throws(CommandFailure) in
            try StateKeeper(path: path, engine: engine, loop: loop, log: log)
        }
        defer { state?.close() }
        let signals = try watchSignals()
        defer { signals.cancel() }
        // After the signals are blocked: a thread that takes them would end us.
        try parts.watch?.open(configuration, log: log)
        listen()
        WorkerText(parts).reportStart()
        parts.service?.begin()
        engine.start()
        parts.remote.open()
        loop.run()
        parts.tracing?.close()
        log.info("stopped", metadata: ["event": "stopped"])
        if let refusals { throw refusals }
        return life.status
    }

    private func watchSignals() throws(CommandFailure) -> any LoopWatch {
        do {
            return try parts.loop.watchSignals([SIGTERM, SIGINT, SIGQUIT, SIGHUP]) { [unowned self] number in
                if let kind = parts.engine.stopping, kind != life.stopping { take(.hardened(kind)) }
                take(.signal(number, runsTasks: parts.engine.runsTasks))
            }
        } catch {
            throw CommandFailure(.failure, "\(error)")
        }
    }

    private func listen() {
        let engine = parts.engine
        parts.remote.control.onSubscribed = { [unowned self] in take(.subscribed) }
        engine.onReady = { [unowned self] in take(.consuming) }
        engine.onCatalog = { [unowned self] in take(.catalog(isLoading: isLoading)) }
        engine.onLinkUp = { [unowned self] in take(.linkUp) }
        engine.onShutDown = { [unowned self] in take(.shutdownCommand) }
        engine.onClosing = { [unowned self] in take(.closing) }
        engine.onStopped = { [unowned self] in take(.engineStopped) }
        engine.onBundle = { [unowned self] report in
            parts.remote.events?.bundleChanged(report)
            if case .rolledBack = report.status { parts.watch?.bundleRolledBack(report) }
        }
        engine.onNoBundle = { [unowned self] bundles in
            refusals = PluginCheck.allRefused(bundles)
            take(.noBundle)
        }
        engine.onFatal = { [unowned self] failure in
            if let fix = failure.fix { parts.log.error("fix: \(fix)") }
            take(.brokerRefused)
        }
    }

    private var isLoading: Bool { parts.runner.bundles.contains { $0.status == .loading } }

    private func take(_ event: WorkerLife.Event) {
        for action in life.handle(event) { carryOut(action) }
    }

    private func carryOut(_ action: WorkerLife.Action) {
        switch action {
        case .awaitSubscription(let seconds): take(.subscriptionOverdue, afterSeconds: seconds)
        case .reportReady(let isSubscribed):
            WorkerText(parts).reportReady(isSubscribed: isSubscribed)
            parts.remote.events?.linkUp()
            parts.watch?.ready()
            parts.service?.ready()
            parts.appSignals?.ready()
            _ = parts.loop.schedule(afterSeconds: Self.startCodeSeconds) { clinux_forget_code() }
        case .announce: parts.remote.events?.linkUp()
        case .replaceSchedules: parts.beat?.replaceSchedules()
        case .startBeat: parts.beat?.start()
        case .reload: reload()
        case .reportStopping:
            parts.watch?.stopping()
            parts.service?.stopping()
        case .stopBeat: parts.beat?.stop { [unowned self] in take(.beatStopped) }
        case .stopEngine(let kind, let cause):
            WorkerText(parts).reportStop(kind, cause: cause)
            parts.appSignals?.stopping(kind, cause: cause, status: life.status.rawValue)
            parts.engine.stop(kind)
        case .closeEvents: parts.remote.events?.close()
        case .closeControl: parts.remote.close()
        case .limitEnd: take(.endOverdue, afterSeconds: hookSeconds + 0.2)
        case .closeHooks: closeHooks()
        case .warnOfLeaving:
            parts.log.warning("leaving at once: the broker delivers again what was not settled")
        case .stopLoop: parts.loop.stop()
        }
    }

    /// After so many seconds what only the start needed is no longer kept: about half of an idle host's memory.
    private static let startCodeSeconds = 1.0

    /// Hooks, and the app's own receivers: both at once.
    private func closeHooks() {
        var open = 2
        let oneLess = { [unowned self] in
            open -= 1
            if open == 0 { take(.hooksClosed) }
        }
        let seconds = hookSeconds
        if let signals = parts.appSignals { signals.close(withinSeconds: seconds, done: oneLess) } else { oneLess() }
        if let hooks = parts.hooks { hooks.close(withinSeconds: seconds, done: oneLess) } else { oneLess() }
    }

    private var hookSeconds: Double { min(Self.hookSeconds, parts.engine.closeWithin) }

    private func take(_ event: WorkerLife.Event, afterSeconds seconds: Double) {
        _ = parts.loop.schedule(afterSeconds: seconds) { [weak self] in self?.take(event) }
    }

    private func reload() {
        parts.log.info("HUP: looking at the plugins folders again", metadata: ["event": "reload"])
        do {
            try parts.logSetup.sink.reopen()
        } catch {
            parts.log.error("\(error)")
        }
        parts.engine.reload()
        parts.service?.reloading { [unowned self] in !isLoading }
    }
}
