// When a task is to be sent by itself.

/// Sent by `taskhost beat` and by workers with -B, unless the operator says otherwise under the same name.
public struct TaskSchedule: Sendable {
    /// What becomes of due times while no process led.
    public enum Missed: String, Sendable {
        case skip
        case once
        case all
    }

    /// "nightly"; the host calls it "<bundle>.nightly".
    public var name: String
    /// "minute hour day-of-month month day-of-week", as Celery has it.
    public var cron: String?
    public var every: Duration?
    /// `every` goes by round times of the clock.
    public var isRelative = false
    /// "Europe/Berlin"; nil: UTC.
    public var timezone: String?
    public var args: [JSON] = []
    public var kwargs: [String: JSON] = [:]
    public var queue: String?
    public var missed: Missed?
    /// After sending, from when it is not to be run any more.
    public var expires: Duration?
    /// 0…255; a higher one is run first.
    public var priority = 0

    public init(
        _ name: String, cron: String, timezone: String? = nil, args: [JSON] = [], kwargs: [String: JSON] = [:],
        queue: String? = nil, missed: Missed? = nil, expires: Duration? = nil, priority: Int = 0
    ) {
        self.name = name
        self.cron = cron
        self.timezone = timezone
        (self.args, self.kwargs) = (args, kwargs)
        (self.queue, self.missed, self.expires, self.priority) = (queue, missed, expires, priority)
    }

    public init(
        _ name: String, every: Duration, relative: Bool = false, timezone: String? = nil, args: [JSON] = [],
        kwargs: [String: JSON] = [:], queue: String? = nil, missed: Missed? = nil, expires: Duration? = nil,
        priority: Int = 0
    ) {
        self.name = name
        self.every = every
        isRelative = relative
        self.timezone = timezone
        (self.args, self.kwargs) = (args, kwargs)
        (self.queue, self.missed, self.expires, self.priority) = (queue, missed, expires, priority)
    }
}
