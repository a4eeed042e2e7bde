import ArgumentParser
import Output
import Settings
import TaskModel

/// Options of `taskhost worker`; the names are Celery's.
struct WorkerOptions: ParsableArguments {
    @Option(
        name: [.customShort("Q"), .long],
        help: ArgumentHelp(
            "Queues to serve, the preferred first: urgent,normal. Or with shares: urgent:3,normal:1. Default: "
                + "\(Settings.worker.queues.setting.fallback).",
            valueName: "names"))
    var queues: String?

    @Option(name: [.short, .long], help: ArgumentHelp("Tasks run at a time. Default: the CPUs.", valueName: "number"))
    var concurrency: String?

    @Option(
        help: ArgumentHelp(
            "The maximum and the minimum of tasks run at a time, as needed: 10,2. In place of --concurrency.",
            valueName: "numbers"))
    var autoscale: String?

    @Option(
        name: [.customShort("n"), .long],
        help: ArgumentHelp(
            "Node name; %h host, %n its first label, %d its domain. Default: "
                + "\(Settings.worker.hostname.setting.fallback).", valueName: "name"))
    var hostname: String?

    @Option(
        help: ArgumentHelp(
            "Folder with bundles (*.so); may be repeated. Default: the installation's own.", valueName: "folder"))
    var plugins: [String] = []

    @Option(
        help: ArgumentHelp(
            "fresh: a child process of its own for every task, whatever it asks for. keep:N: tasks that do not choose "
                + "share a child, N in turn.", valueName: "mode"))
    var isolation: String?

    @Option(help: ArgumentHelp("As --isolation keep:N; 1 is fresh.", valueName: "number"))
    var maxTasksPerChild: String?

    @Option(
        help: ArgumentHelp(
            "KiB that a kept child may have resident; above, it is replaced after its task.", valueName: "KiB"))
    var maxMemoryPerChild: String?

    @Option(
        help: ArgumentHelp(
            "MiB that a task's processes may have resident together, unless it says otherwise; then they are killed.",
            valueName: "MiB"))
    var memoryLimit: String?

    @Option(
        help: ArgumentHelp("Seconds until a task is killed, unless it says otherwise. 0: never.", valueName: "seconds"))
    var timeLimit: String?

    @Option(
        help: ArgumentHelp(
            "Seconds until a task is asked to stop, unless it says otherwise. 0: never.", valueName: "seconds"))
    var softTimeLimit: String?

    @Option(
        help: ArgumentHelp(
            "Prefetched messages per slot at most; fewer when tasks are slow.", valueName: "number"))
    var prefetchMultiplier: String?

    @Option(
        help: ArgumentHelp(
            "Seconds running tasks get to finish after TERM. Default: \(Settings.worker.grace.setting.fallback).",
            valueName: "seconds"))
    var grace: String?

    @Flag(
        name: [.customShort("E"), .long],
        help: "Send events of tasks to monitors from the start; without, a monitor turns them on.")
    var taskEvents = false

    @Option(
        help: ArgumentHelp("Serve /metrics, /livez and /readyz at this port; 0: a free one.", valueName: "port"))
    var metricsPort: String?

    @Option(
        help: ArgumentHelp(
            "IPv4 address to serve them at. Default: \(Settings.metrics.host.setting.fallback).", valueName: "address"))
    var metricsHost: String?

    @Option(
        help: ArgumentHelp(
            "Seconds between the events that say we are alive. Default: \(Settings.worker.heartbeat.setting.fallback).",
            valueName: "seconds"))
    var heartbeatInterval: String?

    @Flag(help: "Send no events of the worker itself.")
    var withoutHeartbeat = false

    @Flag(name: [.customShort("B"), .long], help: "Be a beat, too: send the tasks of [schedules.NAME] and of bundles.")
    var beat = false

    @Option(
        help: ArgumentHelp(
            "Answer `taskhost … --socket` here; none: nowhere. Default: where `--local` looks.", valueName: "path"))
    var socket: String?

    @Option(help: ArgumentHelp("Write our pid here; refuse to start while its owner lives.", valueName: "file"))
    var pidfile: String?

    @Option(
        name: [.customShort("S"), .long],
        help: ArgumentHelp("Keep revocations here between runs.", valueName: "file"))
    var statedb: String?

    func flags() throws(CommandFailure) -> SettingsLayer {
        var layer = SettingsLayer()
        try layer.read(Settings.worker.queues, queues, option: "--queues")
        try layer.read(Settings.worker.concurrency, concurrency, option: "--concurrency")
        try layer.read(Settings.worker.autoscale, autoscale, option: "--autoscale")
        try layer.read(Settings.worker.hostname, hostname, option: "--hostname")
        try layer.read(Settings.worker.isolation, try isolationText(), option: "--isolation")
        try layer.read(Settings.worker.maxMemoryPerChild, maxMemoryPerChild, option: "--max-memory-per-child")
        try layer.read(TaskOptionTable.standard.memoryLimit, memoryLimit, option: "--memory-limit")
        try layer.read(TaskOptionTable.standard.hardLimit, timeLimit, option: "--time-limit")
        try layer.read(TaskOptionTable.standard.softLimit, softTimeLimit, option: "--soft-time-limit")
        try layer.read(Settings.worker.prefetchMultiplier, prefetchMultiplier, option: "--prefetch-multiplier")
        try layer.read(Settings.worker.grace, grace, option: "--grace")
        try layer.read(Settings.metrics.port, metricsPort, option: "--metrics-port")
        try layer.read(Settings.metrics.host, metricsHost, option: "--metrics-host")
        try layer.read(Settings.worker.pidfile, pidfile, option: "--pidfile")
        try layer.read(Settings.worker.socket, socket, option: "--socket")
        try layer.read(Settings.worker.stateFile, statedb, option: "--statedb")
        try layer.read(Settings.worker.taskEvents, taskEvents ? "true" : nil, option: "--task-events")
        try layer.read(
            Settings.worker.heartbeat, withoutHeartbeat ? "0" : heartbeatInterval,
            option: withoutHeartbeat ? "--without-heartbeat" : "--heartbeat-interval")
        if !plugins.isEmpty { layer.set(Settings.worker.plugins, .texts(plugins), origin: "--plugins") }
        return layer
    }

    private func isolationText() throws(CommandFailure) -> String? {
        guard let maxTasksPerChild else { return isolation }
        guard isolation == nil else {
            throw CommandFailure(.usage, "--isolation and --max-tasks-per-child say the same thing: keep one of them")
        }
        guard let count = Int(maxTasksPerChild), count >= 1 else {
            throw CommandFailure(.usage, "--max-tasks-per-child must be an integer of at least 1")
        }
        return count == 1 ? "fresh" : "keep:\(count)"
    }
}
