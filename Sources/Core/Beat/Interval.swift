// Every so many seconds, from the last run or on round times (celery-protocol.md §8.3).
public import TaskModel

public struct Interval: Sendable, Equatable {
    /// More than zero.
    public let seconds: Double
    /// On round times: whole minutes, hours or days of the clock, by the interval's length.
    public let isRelative: Bool

    public init(seconds: Double, isRelative: Bool = false) throws(ScheduleError) {
        // A shorter one would keep the loop busy; a longer one does not fit into the calendar.
        guard (0.001...3_153_600_000).contains(seconds) else {
            throw ScheduleError("an interval of \(seconds) s", fix: "write seconds from 0.001 to 3153600000")
        }
        self.seconds = seconds
        self.isRelative = isRelative
    }

    public func next(after last: WallTime, on clock: LocalClock) -> WallTime {
        let end = last.advanced(bySeconds: seconds)
        guard isRelative else { return end }
        if seconds >= 86_400 {
            let days = LocalTime(microseconds: clock.local(last).microseconds + Int64(seconds * 1e6))
            return clock.instants(of: days.truncated(to: LocalTime.day)).first { $0 > last } ?? clock.instant(of: days)
        }
        let unit = seconds >= 3600 ? LocalTime.hour : seconds >= 60 ? LocalTime.minute : LocalTime.second
        let shown = clock.local(end)
        let times = clock.instants(of: shown.truncated(to: unit))
        // Later than `end` where the clock was set forward over the round time.
        let round = times.last { $0 <= end } ?? times[0]
        if round > last { return round }
        guard seconds >= 60 else { return end }
        // The clock was set back by a part of the unit: the next round time it shows, or would have shown.
        let others = [
            LocalTime(microseconds: shown.microseconds + unit),
            LocalTime(microseconds: clock.local(last).microseconds + Int64(seconds * 1e6)),
        ].flatMap { clock.instants(of: $0.truncated(to: unit)) }
        let later = others.filter { $0 > last }
        return later.filter { $0 <= end }.max() ?? later.min() ?? end
    }
}
