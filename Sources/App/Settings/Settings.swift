public import TaskModel

/// Every setting there is, one row each: files, variables, options, the doctor and docs/configuration.md follow it.
public enum Settings {
    public static let broker = BrokerKeys()
    public static let results = ResultsKeys()
    public static let sharedLimits = SharedLimitsKeys()
    public static let worker = WorkerKeys()
    public static let python = PythonKeys()
    public static let sandbox = SandboxKeys()
    public static let control = ControlKeys()
    public static let metrics = MetricsKeys()
    public static let traces = TracesKeys()
    public static let log = LogKeys()
    public static let limits = LimitsKeys()
    public static let wire = WireKeys()
    public static let security = SecurityKeys()
    public static let queues = QueueKeys()
    public static let routes = RouteKeys()
    public static let schedules = ScheduleKeys()
    public static let hooks = HookKeys()
    public static let taskIsolation = TaskIsolationKeys()

    public static let all = listed(TaskOptionTable.rows)

    /// - Parameter options: of tasks.
    public static func listed(_ options: [any TaskOptionRow]) -> [Setting] {
        let first: [any SettingsSection] = [broker, results, sharedLimits, worker]
        let middle: [any SettingsSection] = [
            python, sandbox, control, metrics, traces, log, limits, wire, security, queues, routes,
        ]
        let last: [any SettingsSection] = [schedules, hooks]
        return first.flatMap(\.rows) + taskDefaults(options) + middle.flatMap(\.rows) + tasks(options)
            + taskIsolation.rows + last.flatMap(\.rows)
    }
}
