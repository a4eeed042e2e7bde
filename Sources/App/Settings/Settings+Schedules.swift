// `[schedules.NAME]` and `[hooks.NAME]`.
public import Beat
public import TaskModel

public struct ScheduleKeys: SettingsSection {
    public let task = Key<String?>(
        "schedules.*.task", .text, default: nil, shown: "–",
        "name of the task to send")
    public let enabled = Key<Bool>(
        "schedules.*.enabled", .flag, default: true,
        "false: not sent, even if a bundle declares it")
    public let cron = Key<String?>(
        "schedules.*.cron", .text, default: nil,
        "`minute hour day-of-month month day-of-week`")
    public let every = Key<Double?>(
        "schedules.*.every", .seconds(0.001...3_153_600_000), default: nil,
        "seconds between runs")
    public let relative = Key<Bool>(
        "schedules.*.relative", .flag, default: false,
        "`every` goes by round times of the clock")
    public let at = Key<String?>(
        "schedules.*.at", .text, default: nil,
        "once, at this time (ISO 8601; without offset: local)")
    public let solar = Key<Solar.Event?>(
        "schedules.*.solar", .choice(Solar.Event.allCases.map(\.rawValue)), default: nil, shown: "none",
        "what the sun does at a place"
    ) { (event: String) in .init(rawValue: event) }
    public let latitude = Key<Double?>(
        "schedules.*.latitude", .number(-90...90), default: nil, shown: "–",
        "of that place, in degrees; south is below 0")
    public let longitude = Key<Double?>(
        "schedules.*.longitude", .number(-180...180), default: nil, shown: "–",
        "west is below 0")
    public let timezone = Key<String?>(
        "schedules.*.timezone", .text, default: nil, shown: "UTC",
        "name of a time zone, or `local`; for all of these")
    public let args = Key<ValueList>(
        "schedules.*.args", .list, default: ValueList(),
        "arguments")
    public let kwargs = Key<FieldTable>(
        "schedules.*.kwargs", .arguments, default: [:],
        "keyword arguments")
    public let queue = Key<String?>(
        "schedules.*.queue", .text, default: nil, shown: "by the routes, else celery",
        "queue to send it to")
    public let priority = Key<Int?>(
        "schedules.*.priority", .integer(0...255), default: nil, shown: "0",
        "a higher one is run first (on Redis a lower one)")
    public let expires = Key<Double?>(
        "schedules.*.expires", .seconds(0.001...3_153_600_000), default: nil,
        "seconds after sending from which it is not to be run any more")
    public let missed = Key<MissedRuns>(
        "schedules.*.missed", among: [.skip, .once, .all], default: .once,
        "what becomes of due times while no process led: none, one or each is sent late")
}

public struct HookKeys: SettingsSection {
    public let on = Key<[String]>(
        "hooks.*.on", .texts, default: [], shown: "–",
        "triggers: `failure`, `retry`, `crash`, `dead_letter`, `time_limit`, `revoked`, `success`")
    public let tasks = Key<[String]>(
        "hooks.*.tasks", .texts, default: ["*"], shown: "all",
        "only of these tasks: names, with `*` for any text")
    public let command = Key<[String]?>(
        "hooks.*.command", .texts, default: nil,
        "program and arguments; no shell")
    public let url = Key<String?>(
        "hooks.*.url", .text, default: nil,
        "http:// or https:// address to POST to")
    public let secretFile = Key<String?>(
        "hooks.*.secret_file", .text, default: nil,
        "of a POST: file that holds the key of its signature")
    public let task = Key<String?>(
        "hooks.*.task", .text, default: nil,
        "name of a task to send")
    public let queue = Key<String?>(
        "hooks.*.queue", .text, default: nil, shown: "by the routes, else celery",
        "queue to send that task to")
    public let timeout = Key<Double>(
        "hooks.*.timeout", .seconds(0.1...3600), default: 10,
        "seconds a command or a POST may take")
    public let retries = Key<Int>(
        "hooks.*.retries", .integer(0...20), default: 3,
        "of a POST, after the first attempt")
    public let environment = Key<[String]>(
        "hooks.*.environment", .texts, default: [],
        "variables a command sees, beside PATH, LANG, TZ and HOME")
}
