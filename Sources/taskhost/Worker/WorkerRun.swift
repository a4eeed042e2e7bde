import Control
import Engine
import Foundation
import Glibc
import Hooks
import LocalSocket
import Logging
import Loop
import Ports
import Runner
import TaskModel

/// A worker's life: checks, wiring, signals, end.
final class WorkerRun {
    private let configuration: Configuration
    private let environment: [String: String]
    private let logSetup: LogSetup
    private let log: Logger
    private let service: ServiceReport?
    private var readiness: Readiness?
    private let loop: EpollLoop
    private let engine: Engine
    private let control: ControlService
    private let localServer: LocalServer?
    private let localControl: ControlService?
    private let events: EventService?
    private let eventChannel: (any EventChannel)?
    private let broker: any Broker
    private let store: (any ResultStore)?
    private let runner: RunnerPool
    private let beat: BeatSending?
    private let folders: [String]
    private let watch: WorkerWatch?
    private let hooks: HookDesk?
    private let tracing: Tracing?
    private var status = ExitStatus.success
    /// None of the bundles could be loaded.
    private var refusals: CommandFailure?
    private let stopSignals: StopSignals
    /// What the operator says of schedules; nil: not a beat.
    private let schedules: ConfigurationBuilder?
    private var beatState = BeatState.waiting
    /// Beat and the engine, of which both must be over before we are.
    private var serving: Int

    private enum BeatState {
        /// For the bundles to load.
        case waiting
        case sending
        case over
    }

    /// What hooks may still deliver at the end, in seconds.
    private static let hookPatience = 5.0

    init(
        configuration: Configuration, log logSetup: LogSetup, environment: [String: String],
        schedules: ConfigurationBuilder?
    ) throws(CommandFailure) {
        self.configuration = configuration
        self.schedules = schedules
        self.environment = environment
        stopSignals = StopSignals(
            softSeconds: configuration.softShutdown, treatsTermAsQuit: configuration.treatsTermAsQuit)
        self.logSetup = logSetup
        let log = logSetup.logger(environment: environment)
        self.log = log
        let installation = try Installation(environment: environment)
        folders = configuration.plugins ?? [installation.pluginFolder]
        do {
            loop = try EpollLoop()
        } catch {
            throw CommandFailure(.failure, "\(error)")
        }
        let runnerOptions = configuration.runnerOptions(
            runnerPath: try installation.runnerPath(), folders: folders, environment: environment)
        let tell: (Int, String) -> Void = { log.log(level: .init(number: $0), "\($1)") }
        runner = try Self.pool(runnerOptions, loop: loop, sdk: installation.sdk, log: tell)
        let adapters = Adapters(loop: loop, configuration: configuration, log: tell)
        broker = try adapters.broker()
        store = try adapters.store()
        var options = configuration.engineOptions()
        options.formats = try configuration.formats()
        engine = Engine(
            options: options, loop: loop, broker: broker, store: store, runner: runner, limits: try adapters.limits(),
            log: log)
        tracing = try Tracing(configuration, engine: engine, log: log)
        service = ServiceReport(
            environment: environment, queues: configuration.queues.entries.map(\.name), loop: loop
        ) { [engine] in "\(engine.figures.running) running, \(engine.figures.held) held" }
        watch = configuration.metricsPort == nil ? nil : WorkerWatch(loop: loop, engine: engine, runner: runner)
        watch?.spans = tracing?.exporter
        let eventChannel = try adapters.events()
        let localServer = try RemoteControl.localServer(
            configuration, broker: broker.description, loop: loop, log: tell)
        let channels: [(any EventChannel)?] = [eventChannel, localServer]
        let events = RemoteControl.events(
            over: channels.compactMap { $0 }, of: engine, configuration, loop: loop)
        let surroundings = RemoteSettings.Surroundings(
            folders: folders, coloursLog: logSetup.isColoured(environment: environment))
        let formats = options.formats
        let makeService = { [engine, loop] (channel: any ControlChannel, policy: ControlPolicy) in
            RemoteControl.service(
                over: channel, of: engine, configuration, policy: policy, bodyFormats: formats, events: events,
                surroundings: surroundings, loop: loop, log: tell)
        }
        (self.eventChannel, self.localServer, self.events) = (eventChannel, localServer, events)
        control = makeService(try adapters.control(), configuration.controlPolicy)
        // Who may open the socket may as well end the process.
        localControl = localServer.map { makeService($0, ControlPolicy()) }
        hooks = try HookWiring.desk(
            configuration, environment: environment, loop: loop, broker: broker, watch: watch, log: log)
        if let hooks { engine.add(observer: hooks) }
        serving = schedules == nil ? 1 : 2
        guard schedules != nil else {
            beat = nil
            return
        }
        // Bundles bring schedules, too: they are told once these are loaded.
        beat = BeatSending(
            [], configuration, loop: loop, broker: broker, leadership: try adapters.leadership(),
            origin: configuration.nodeName, log: log)
    }

    /// The folders are looked at once before, so that a mistake there ends us with its fix.
    private static func pool(
        _ options: RunnerOptions, loop: EpollLoop, sdk: String, log: @escaping (Int, String) -> Void
    ) throws(CommandFailure) -> RunnerPool {
        do {
            let inspector = try BundleInspector(loop: loop, options: options, log: log)
            let found = try PluginCheck.bundles(in: options.pluginFolders, by: inspector)
            if found.isEmpty { throw PluginCheck.noBundles(in: options.pluginFolders, sdk: sdk) }
            return try RunnerPool(loop: loop, options: options, log: log)
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw .configuration("\(error)")
        }
    }

    /// Serves until a signal or a broker that cannot work ends it.
    func run() throws(CommandFailure) -> ExitStatus {
        defer { localServer?.close() }
        let pidfile = try configuration.pidfile.map { path throws(CommandFailure) in try Pidfile(path: path) }
        defer { pidfile?.remove() }
        let state = try configuration.stateFile.map { path throws(CommandFailure) in
            try StateKeeper(path: path, engine: engine, loop: loop, log: log)
        }
        defer { state?.close() }
        let signals: any LoopWatch
        do {
            signals = try loop.watchSignals([SIGTERM, SIGINT, SIGQUIT, SIGHUP]) { [unowned self] in receive($0) }
        } catch {
            throw CommandFailure(.failure, "\(error)")
        }
        defer { signals.cancel() }
        // After the signals are blocked: a thread that takes them would end us.
        try watch?.open(configuration, log: log)
        let readiness = Readiness(loop: loop) { [unowned self] in becomeReady(hears: $0) }
        self.readiness = readiness
        engine.onReady = { readiness.consuming() }
        control.onHearing = { readiness.hearing() }
        engine.onCatalog = { [unowned self] in scheduleWhatIsLoaded() }
        // Before it is ready it does not say that it is online: whoever hears that asks it something at once.
        engine.onLinkUp = { [unowned self] in if readiness.isOver { events?.linkUp() } }
        engine.onShutDown = { [unowned self] in if engine.stopping == nil { stop(.warm) } }
        engine.onClosing = { [unowned self] in events?.close() }
        engine.onStopped = { [unowned self] in
            control.close()
            localControl?.close()
            eventChannel?.close()
            // Giving the lease back waits for the broker; an unreachable one must not keep us.
            _ = loop.schedule(afterSeconds: 6) { [loop] in loop.stop() }
            guard let hooks else { return hasEnded() }
            hooks.close(withinSeconds: Self.hookPatience) { [unowned self] in hasEnded() }
        }
        engine.onNoBundle = { [unowned self] bundles in
            refusals = PluginCheck.allRefused(bundles)
            stop(.cold)
        }
        engine.onFatal = { [unowned self] failure in
            status = .unavailable
            if let fix = failure.fix { log.error("fix: \(fix)") }
            stop(.warm)
        }
        let banner = Banner(
            configuration: configuration, broker: broker.description, results: store?.description ?? "none",
            folders: folders)
        if logSetup.isJSON {
            log.info("starting", metadata: banner.metadata)
        } else {
            logSetup.sink.write(banner.text)
        }
        service?.begin()
        engine.start()
        control.open()
        localControl?.open()
        loop.run()
        tracing?.close()
        log.info("stopped", metadata: ["event": "stopped"])
        if let refusals { throw refusals }
        return status
    }

    /// Their messages would all have the same key, unless they name that argument all the same.
    private func warnOfKeys(_ tasks: [TaskManifest]) {
        for task in tasks {
            guard let text = configuration.tasks[task.name]?.limitKey, let key = LimitKey(text), !key.fits(task) else {
                continue
            }
            let has = task.parameters.map(\.name).joined(separator: ", ")
            log.warning("tasks.\"\(task.name)\".limit_key is \"\(text)\", and the task's arguments are: \(has)")
        }
    }

    /// Once all bundles are loaded, and with each change of them.
    private func scheduleWhatIsLoaded() {
        guard let beat, let schedules, beatState != .over, !runner.bundles.contains(where: { $0.status == .loading })
        else { return }
        let manifests = runner.bundles.filter { $0.status == .active }.compactMap(\.manifest)
        do throws(CommandFailure) {
            let tasks = try BundleSchedules.tasks(of: manifests, under: schedules)
            for name in BundleSchedules.strays(manifests, under: schedules) {
                log.warning("\(BundleSchedules.stray(name).sentence)")
            }
            for clash in BundleSchedules.clashes(manifests) { log.warning("\(clash.sentence)") }
            if tasks.isEmpty { log.warning("beat: there are no schedules, in taskhost.toml or in bundles") }
            beat.replace(tasks)
        } catch {
            log.error("beat goes on as before: \(error)")
        }
        guard beatState == .waiting else { return }
        beatState = .sending
        beat.start()
    }

    private func becomeReady(hears: Bool) {
        if !hears { log.warning("remote control does not reach this worker: is its node name in use already?") }
        let manifests = runner.bundles.filter { $0.status == .active }.flatMap { $0.manifest?.tasks ?? [] }
        warnOfKeys(manifests)
        let tasks = manifests.map(\.name)
        log.info(
            "ready: \(tasks.count) tasks from \(runner.bundles.filter { $0.status == .active }.count) bundles",
            metadata: [
                "event": "ready", "queues": .array(configuration.queues.entries.map { .string($0.name) }),
                "concurrency": .stringConvertible(configuration.slotsAtFirst),
                "tasks": .array(tasks.sorted().map { .string($0) }),
            ])
        events?.linkUp()
        watch?.ready()
        service?.ready()
    }

    private func receive(_ number: Int32) {
        switch number {
        case SIGHUP:
            log.info("HUP: looking at the plugins folders again", metadata: ["event": "reload"])
            do {
                try logSetup.sink.reopen()
            } catch {
                log.error("\(error)")
            }
            engine.reload()
            service?.reloading { [runner] in !runner.bundles.contains { $0.status == .loading } }
        default:
            if number == SIGINT { status = .failure }
            switch stopSignals.order(on: number, stopping: engine.stopping, runsTasks: engine.runsTasks) {
            case .stop(let kind): stop(kind)
            case .leave:
                log.warning("leaving at once: the broker delivers again what was not settled")
                status = .failure
                loop.stop()
            }
        }
    }

    private func stop(_ kind: StopKind) {
        if engine.stopping == nil {
            readiness?.giveUp()
            watch?.stopping()
            service?.stopping()
            // Others may lead at once; what is being sent is confirmed before the engine's broker closes.
            stopBeat()
        }
        let how =
            switch kind {
            case .warm: "stopping: what runs has \(configuration.grace.plain) s to finish, less after a second signal"
            case .soft: "stopping: what runs has \(configuration.softShutdown.plain) s to finish"
            case .cold: "stopping now: what runs goes back to its queue"
            }
        log.info("\(how)", metadata: ["event": "stopping", "kind": "\(kind)"])
        engine.stop(kind)
    }

    private func stopBeat() {
        guard let beat else { return }
        switch beatState {
        case .waiting: hasEnded()
        case .sending: beat.stop { [unowned self] in hasEnded() }
        case .over: break
        }
        beatState = .over
    }

    private func hasEnded() {
        serving -= 1
        if serving == 0 { loop.stop() }
    }
}

extension Logger.Level {
    /// Of the levels the parts below us speak: 0 debug, 1 info, 2 warning, 3 error.
    init(number: Int) {
        switch number {
        case ...0: self = .debug
        case 1: self = .info
        case 2: self = .warning
        default: self = .error
        }
    }
}
