// Wall-clock time of a time zone, and back to real time as Python reckons it (celery-protocol.md §8.5).
import Linux
public import TaskModel

/// What clocks on the wall show, in microseconds as if the place were at UTC.
struct LocalTime: Equatable, Comparable {
    static let second: Int64 = 1_000_000
    static let minute = 60 * second
    static let hour = 60 * minute
    static let day = 24 * hour

    var microseconds: Int64

    static func < (left: LocalTime, right: LocalTime) -> Bool { left.microseconds < right.microseconds }

    /// Down to a whole multiple of the unit.
    func truncated(to unit: Int64) -> LocalTime { LocalTime(microseconds: floorDivide(microseconds, unit) * unit) }

    /// Days since 1970-01-01.
    var days: Int64 { floorDivide(microseconds, Self.day) }
    var hour: Int { Int((microseconds - days * Self.day) / Self.hour) }
    var minute: Int { Int((microseconds - days * Self.day) / Self.minute % 60) }

    /// "2026-11-23"
    var dayText: String {
        let day = CivilDay(days: days)
        return "\(digits(day.year, 4))-\(digits(Int64(day.month), 2))-\(digits(Int64(day.day), 2))"
    }

    /// "07:30:00"
    var timeText: String {
        let second = (microseconds - days * Self.day) / Self.second % 60
        return "\(digits(Int64(hour), 2)):\(digits(Int64(minute), 2)):\(digits(second, 2))"
    }
}

/// A time zone of the IANA data base, as the system has it.
public struct LocalClock: Sendable, Equatable {
    public let name: String
    private let rules: ZoneRules

    public static let utc = LocalClock(name: "UTC", rules: ZoneRules(offset: 0))
    /// As `TZ` or the system says.
    public static let system: LocalClock = {
        let found = ZoneFiles.system(ThisProcess.environment["TZ"])
        return LocalClock(name: found.name, rules: found.rules)
    }()

    private init(name: String, rules: ZoneRules) {
        self.name = name
        self.rules = rules
    }

    /// nil: no such zone.
    public init?(_ name: String) {
        if name == "UTC" || name == "GMT" {
            self = .utc
        } else if let rules = ZoneFiles.rules(name) {
            self.init(name: name, rules: rules)
        } else {
            return nil
        }
    }

    /// Seconds east of UTC.
    public func offset(at time: WallTime) -> Int64 {
        // Whole seconds, downwards: a fraction before a change is still before it.
        rules.offset(at: floorDivide(time.microseconds, LocalTime.second))
    }

    func local(_ time: WallTime) -> LocalTime {
        LocalTime(microseconds: time.microseconds + offset(at: time) * LocalTime.second)
    }

    /// The instants at which the clock shows this: one, or two where it is set back, in order. Where it is set forward
    /// and never shows this, the one at which it would if it had not been: later by the gap on the new clock.
    func instants(of local: LocalTime) -> [WallTime] {
        // Far enough that even a change over the date line lies between.
        let margin = 40 * LocalTime.hour
        let before = offset(at: WallTime(microseconds: local.microseconds - margin))
        let after = offset(at: WallTime(microseconds: local.microseconds + margin))
        let first = WallTime(microseconds: local.microseconds - before * LocalTime.second)
        guard before != after else { return [first] }
        let second = WallTime(microseconds: local.microseconds - after * LocalTime.second)
        switch (offset(at: first) == before, offset(at: second) == after) {
        case (true, true): return [first, second]
        case (false, true): return [second]
        default: return [first]
        }
    }

    /// When the clock is set between these, if it is set once; nil: its offset is the same at both.
    func change(after start: WallTime, until end: WallTime) -> WallTime? {
        let before = offset(at: start)
        guard before != offset(at: end) else { return nil }
        // Whole seconds: offsets change at no other times.
        var (low, high) = (
            floorDivide(start.microseconds, LocalTime.second), floorDivide(end.microseconds, LocalTime.second)
        )
        while high - low > 1 {
            let middle = low + (high - low) / 2
            let isBefore = offset(at: WallTime(microseconds: middle * LocalTime.second)) == before
            if isBefore { low = middle } else { high = middle }
        }
        return WallTime(microseconds: high * LocalTime.second)
    }

    /// When the clock first shows what a clock at UTC shows at `time`.
    public func time(showing time: WallTime) -> WallTime {
        instant(of: LocalTime(microseconds: time.microseconds))
    }

    /// "Mon 2026-11-23 07:30:00 +0100".
    public func text(_ time: WallTime) -> String {
        let local = local(time)
        let weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][CivilDay.weekday(days: local.days)]
        return "\(weekday) \(local.dayText) \(local.timeText) \(offsetText(time, separator: ""))"
    }

    /// "2026-11-23T07:30:00+01:00".
    public func iso8601(_ time: WallTime) -> String {
        let local = local(time)
        return "\(local.dayText)T\(local.timeText)\(offsetText(time, separator: ":"))"
    }

    private func offsetText(_ time: WallTime, separator: String) -> String {
        let offset = offset(at: time)
        let minutes = abs(offset) / 60
        return (offset < 0 ? "-" : "+") + digits(minutes / 60, 2) + separator + digits(minutes % 60, 2)
    }

    func instant(of local: LocalTime) -> WallTime { instants(of: local)[0] }
}

func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
}

/// With zeros in front.
private func digits(_ value: Int64, _ count: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, count - text.count)) + text
}
