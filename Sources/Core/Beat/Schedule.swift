// When a task is due.
public import TaskModel

public struct Schedule: Sendable, Equatable {
    public enum Rule: Sendable, Equatable {
        case cron(Crontab)
        case every(Interval)
        /// Once.
        case at(WallTime)
        case solar(Solar)
    }

    public let rule: Rule
    public let clock: LocalClock

    public init(_ rule: Rule, clock: LocalClock = .utc) {
        self.rule = rule
        self.clock = clock
    }

    /// The same text for the same rule, in every release: what memory is compared with.
    var ruleText: String {
        switch rule {
        case .cron(let crontab):
            let fields = crontab.text.split(whereSeparator: { $0 == " " || $0 == "\t" })
            return "cron " + fields.joined(separator: " ")
        case .every(let interval): return "every \(interval.seconds)\(interval.isRelative ? " relative" : "")"
        case .at(let time): return "at \(time.microseconds)"
        case .solar(let solar): return "solar \(solar.event.rawValue) \(solar.latitude) \(solar.longitude)"
        }
    }

    /// The first due time after `last`; nil: there is none.
    public func next(after last: WallTime) -> WallTime? {
        switch rule {
        case .cron(let crontab): crontab.next(after: last, on: clock)
        case .every(let interval): interval.next(after: last, on: clock)
        case .at(let time): time > last ? time : nil
        case .solar(let solar): solar.next(after: last)
        }
    }
}
