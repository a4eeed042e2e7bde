// What a worker is made of, wired together. Nothing begins here: `WorkerRun` starts the parts and ends them.
import Configuration
import Engine
import Hooks
import Logging
import Loop
import Output
import Ports
import Runner
import Settings
import TaskModel

struct WorkerParts {
    let configuration: Configuration
    let logSetup: LogSetup
    let log: Logger
    let loop: EpollLoop
    /// Where bundles are looked for.
    let folders: [String]
    let runner: RunnerPool
    let broker: any Broker
    let store: (any ResultStore)?
    let engine: Engine
    let remote: WorkerRemote
    let hooks: HookDispatcher?
    /// nil: there is no Celery app, or nothing that it could be told.
    let appSignals: AppSignals?
    let tracing: Tracing?
    let loopReport: LoopReport
    let watch: WorkerWatch?
    /// nil: without a service manager.
    let service: ServiceReport?
    /// nil: not a beat.
    let beat: WorkerBeat?

    /// - Parameters:
    ///   - schedules: what the operator says of schedules; nil: not a beat.
    ///   - early: a zygote that loads already.
    /// - Throws: a setting that cannot be used, no bundles, an incomplete installation.
    init(
        configuration: Configuration, log logSetup: LogSetup, environment: [String: String],
        schedules: ConfigurationBuilder?, early: EarlyZygote?
    ) throws(CommandFailure) {
        self.configuration = configuration
        self.logSetup = logSetup
        let log = logSetup.logger(environment: environment)
        self.log = log
        let write: (LogLevel, String) -> Void = { log.log(level: .init($0), "\($1)") }
        let installation = try Installation(environment: environment)
        folders = installation.pluginFolders(configuration)
        do {
            loop = try EpollLoop()
        } catch {
            throw CommandFailure(.failure, "\(error)")
        }
        let runnerOptions = configuration.runnerOptions(
            runnerPath: try installation.runnerPath(), folders: folders, environment: environment)
        runner = try Self.pool(runnerOptions, early: early, loop: loop, sdk: installation.sdk, log: write)
        let systems = Systems(loop: loop, configuration: configuration, log: write)
        let transport = try systems.broker()
        broker = transport.broker()
        store = try systems.results()
        var options = configuration.engineOptions()
        options.formats = try configuration.formats()
        options.slots = min(options.slots, runner.slots)
        let engine = Engine(
            options: options, loop: loop, broker: broker, store: store, runner: runner, limits: try systems.limits(),
            log: log)
        self.engine = engine
        tracing = try Tracing(configuration, engine: engine, log: log)
        service = ServiceReport(
            environment: environment,
            serving: "serving \(configuration.queues.entries.map(\.name).joined(separator: ", "))", loop: loop
        ) { "\(engine.figures.running) running, \(engine.figures.held) held" }
        loopReport = LoopReport(loop: loop, log: log)
        watch =
            configuration[Settings.metrics.port] == nil ? nil : WorkerWatch(loop: loop, engine: engine, runner: runner)
        watch?.spans = tracing?.exporter
        watch?.lostLogLines = { logSetup.sink.lostLines }
        watch?.loopReport = loopReport
        remote = try WorkerRemote(
            over: transport, broker: broker.description, of: engine, configuration, formats: options.formats,
            surroundings: RemoteSettings.Surroundings(
                folders: folders, coloursLog: logSetup.isColoured(environment: environment)),
            loop: loop, log: write)
        hooks = try HookWiring.dispatcher(
            configuration, environment: environment, loop: loop, broker: broker, watch: watch, log: log)
        if let hooks { engine.add(observer: hooks) }
        let heartbeat = configuration[Settings.worker.heartbeat]
        appSignals = early?.takeSocket().map { [loop] socket in
            AppSignals(socket, loop: loop, engine: engine, heartbeatSeconds: heartbeat, log: write)
        }
        beat = schedules.map { [broker, loop, runner] in
            WorkerBeat(
                $0, runner: runner,
                sending: BeatSending(
                    [], configuration, loop: loop, broker: broker, leadership: transport.leadership(),
                    origin: configuration.nodeName, log: log),
                log: log)
        }
    }

    /// The folders are looked at once before, so that a mistake there ends us with its fix.
    private static func pool(
        _ options: RunnerOptions, early: EarlyZygote?, loop: EpollLoop, sdk: String,
        log: @escaping (LogLevel, String) -> Void
    ) throws(CommandFailure) -> RunnerPool {
        do {
            let inspector = try BundleInspector(loop: loop, options: options, log: log)
            let found = try PluginCheck.bundles(in: options.pluginFolders, named: options.bundles, by: inspector)
            if found.isEmpty { throw PluginCheck.noBundles(in: options.pluginFolders, sdk: sdk) }
            return try RunnerPool(loop: loop, options: options, early: early, log: log)
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw .configuration("\(error)")
        }
    }
}
