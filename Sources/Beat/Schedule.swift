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
