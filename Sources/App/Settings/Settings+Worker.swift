// `[worker]`, but for the defaults of tasks, which the table of task options has.

public struct WorkerKeys: SettingsSection {
    public let queues = Key<[String]>(
        "worker.queues", .texts, environment: ["TASKHOST_QUEUES"], default: ["celery"],
        "queues to serve; earlier ones first, or with shares: \"urgent:3\", \"normal:1\"")
    public let concurrency = Key<Int?>(
        "worker.concurrency", .integer(1...4096), environment: ["TASKHOST_CONCURRENCY"], default: nil, shown: "CPUs",
        "tasks run at a time; default: the CPUs that may be used, by the affinity mask and by the CPU quotas of the "
            + "cgroups above (v1 and v2; 1.5 CPUs count as 2)")
    public let autoscale = Key<String?>(
        "worker.autoscale", .text, environment: ["TASKHOST_AUTOSCALE"], default: nil,
        "\"10,2\": the maximum and the minimum of tasks run at a time, as needed; in place of concurrency")
    public let autoscaleKeepalive = Key<Double>(
        "worker.autoscale_keepalive", .seconds(), environment: ["TASKHOST_AUTOSCALE_KEEPALIVE", "AUTOSCALE_KEEPALIVE"],
        default: 30,
        "seconds that some slots must have been idle until they go")
    public let poolRestarts = Key<Bool>(
        "worker.pool_restarts", .flag, default: false,
        "remote control may have the bundles reloaded (Celery's worker_pool_restarts)")
    public let hostname = Key<String>(
        "worker.hostname", .text, environment: ["TASKHOST_HOSTNAME"], default: "celery@%h",
        "node name; %h full host name, %n its first label, %d its domain")
    public let plugins = Key<[String]?>(
        "worker.plugins", .texts, environment: ["TASKHOST_PLUGINS"], default: nil, shown: "plugins/ beside bin/",
        "folders whose *.so are loaded")
    public let canary = Key<[String]>(
        "worker.canary", .texts, environment: ["TASKHOST_CANARY"], default: [], shown: "all of them at once",
        "part of its runs that a new version of a bundle gets while it is on trial: `\"5%\"`, and `\"images:20%\"` "
            + "for one bundle; the version before has the others, and all of them again if the new one crashes more")
    public let trial = Key<Double>(
        "worker.trial", .seconds(), environment: ["TASKHOST_TRIAL"], default: 300,
        "seconds for which a new version of a bundle is watched, and taken back if it crashes more than the one "
            + "before; 0: it is not watched, and there is no canary")
    public let environment = Key<[String]>(
        "worker.environment", .texts, default: [],
        "names of environment variables that bundles may see, beside PATH, LANG, TZ and HOME")
    public let isolation = Key<String?>(
        "worker.isolation", .text, environment: ["TASKHOST_ISOLATION"], default: nil, shown: "as each task asks",
        "`fresh`: a child of its own for every task, whatever it asks for; `keep:N`: tasks that do not choose "
            + "share a child, N in turn")
    public let maxMemoryPerChild = Key<UInt32?>(
        "worker.max_memory_per_child", .integer(1...4_294_967_295), environment: ["TASKHOST_MAX_MEMORY_PER_CHILD"],
        default: nil, shown: "none",
        "KiB resident above which a kept child is replaced after its task (Celery's name and unit)"
    ) { (kibibytes: Int) in UInt32(kibibytes) }
    public let grace = Key<Double>(
        "worker.grace", .seconds(), environment: ["TASKHOST_GRACE"], default: 30,
        "seconds that running tasks get to finish after the first TERM")
    public let softShutdownTimeout = Key<Double>(
        "worker.soft_shutdown_timeout", .seconds(), environment: ["TASKHOST_SOFT_SHUTDOWN_TIMEOUT"], default: 0,
        "seconds that running tasks get after QUIT, or a second TERM or INT (Celery's worker_soft_shutdown_timeout)")
    public let treatsTermAsQuit = Key<Bool>(
        "worker.remap_sigterm", .choice(["sigterm", "sigquit"]), environment: ["REMAP_SIGTERM"], default: false,
        shown: "sigterm",
        "`sigquit`: TERM acts as QUIT, and revoked tasks are sent QUIT"
    ) { (signal: String) in signal == "sigquit" }
    public let prefetchMultiplier = Key<Int?>(
        "worker.prefetch_multiplier", .integer(1...10_000), environment: ["TASKHOST_PREFETCH_MULTIPLIER"], default: nil,
        shown: "up to 256 messages",
        "prefetched messages per slot at most; fewer when tasks are slow, so that priorities hold")
    public let stallAfter = Key<Double>(
        "worker.stall_after", .seconds(), environment: ["TASKHOST_STALL_AFTER"], default: 30,
        "seconds without a delivery, while messages are ready and slots free, before a stall is logged; after "
            + "the same time again the consumers are recreated; 0: not watched")
    public let deduplicateSuccessfulTasks = Key<Bool>(
        "worker.deduplicate_successful_tasks", .flag, default: true,
        "with acks_late: a message that is delivered again and has succeeded already is not run again")
    public let inheritParentPriority = Key<Bool>(
        "worker.inherit_parent_priority", .flag, default: false,
        "what follows a task has its priority, unless it names one (Celery's task_inherit_parent_priority)")
    public let taskEvents = Key<Bool>(
        "worker.task_events", .flag, environment: ["TASKHOST_TASK_EVENTS"], default: false,
        "send events of tasks to monitors from the start (Celery's worker_send_task_events)")
    public let heartbeat = Key<Double?>(
        "worker.heartbeat", .seconds(), environment: ["TASKHOST_HEARTBEAT"], orNone: 2,
        "seconds between the events that say we are alive; 0: no events of the worker itself")
    public let pidfile = Key<String?>(
        "worker.pidfile", .text, environment: ["TASKHOST_PIDFILE"], default: nil,
        "file for our pid")
    public let socket = Key<String?>(
        "worker.socket", .text, environment: ["TASKHOST_SOCKET"], default: nil, shown: "in the user's run directory",
        "path of the socket for remote control on this machine; `none`: without")
    public let stateFile = Key<String?>(
        "worker.state_file", .text, environment: ["TASKHOST_STATE_FILE"], default: nil,
        "file that keeps revocations and paused queues between runs; one for each worker")
}
