import ArgumentParser

/// What `taskhost worker` is told; the names are Celery's.
struct WorkerOptions: ParsableArguments {
    @Option(
        name: [.customShort("Q"), .long],
        help: ArgumentHelp(
            "Queues to serve, the preferred first: urgent,normal. Or with shares: urgent:3,normal:1. Default: celery.",
            valueName: "names"))
    var queues: String?

    @Option(name: [.short, .long], help: ArgumentHelp("Tasks run at a time. Default: the CPUs.", valueName: "number"))
    var concurrency: String?

    @Option(
        help: ArgumentHelp(
            "The most and the least tasks run at a time, as needed: 10,2. In place of --concurrency.",
            valueName: "numbers"))
    var autoscale: String?

    @Option(
        name: [.customShort("n"), .long],
        help: ArgumentHelp(
            "Node name; %h host, %n its first label, %d its domain. Default: celery@%h.", valueName: "name"))
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
            "At most so many messages per slot wait in our hands; fewer when tasks are slow.", valueName: "number"))
    var prefetchMultiplier: String?

    @Option(
        help: ArgumentHelp("Seconds running tasks get to finish after TERM. Default: 30.", valueName: "seconds"))
    var grace: String?

    @Flag(
        name: [.customShort("E"), .long],
        help: "Send events of tasks to monitors from the start; without, a monitor turns them on.")
    var taskEvents = false

    @Option(
        help: ArgumentHelp("Serve /metrics, /livez and /readyz at this port; 0: a free one.", valueName: "port"))
    var metricsPort: String?

    @Option(help: ArgumentHelp("IPv4 address to serve them at. Default: 127.0.0.1.", valueName: "address"))
    var metricsHost: String?

    @Option(
        help: ArgumentHelp("Seconds between the events that say we are alive. Default: 2.", valueName: "seconds"))
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
        try layer.read("worker.queues", queues, option: "--queues")
        try layer.read("worker.concurrency", concurrency, option: "--concurrency")
        try layer.read("worker.autoscale", autoscale, option: "--autoscale")
        try layer.read("worker.hostname", hostname, option: "--hostname")
        try layer.read("worker.isolation", try isolationText(), option: "--isolation")
        try layer.read("worker.max_memory_per_child", maxMemoryPerChild, option: "--max-memory-per-child")
        try layer.read("worker.memory_limit", memoryLimit, option: "--memory-limit")
        try layer.read("worker.time_limit", timeLimit, option: "--time-limit")
        try layer.read("worker.soft_time_limit", softTimeLimit, option: "--soft-time-limit")
        try layer.read("worker.prefetch_multiplier", prefetchMultiplier, option: "--prefetch-multiplier")
        try layer.read("worker.grace", grace, option: "--grace")
        try layer.read("metrics.port", metricsPort, option: "--metrics-port")
        try layer.read("metrics.host", metricsHost, option: "--metrics-host")
        try layer.read("worker.pidfile", pidfile, option: "--pidfile")
        try layer.read("worker.socket", socket, option: "--socket")
        try layer.read("worker.state_file", statedb, option: "--statedb")
        try layer.read("worker.task_events", taskEvents ? "true" : nil, option: "--task-events")
        try layer.read(
            "worker.heartbeat", withoutHeartbeat ? "0" : heartbeatInterval,
            option: withoutHeartbeat ? "--without-heartbeat" : "--heartbeat-interval")
        if !plugins.isEmpty { layer.set("worker.plugins", .texts(plugins), origin: "--plugins") }
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
