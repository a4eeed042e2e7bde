// Crontab schedules as Celery has them (celery-protocol.md §8.4): all fields must match, days of month and of week too.
public import TaskModel

public struct Crontab: Sendable, Equatable {
    /// As written.
    public let text: String
    let minutes: [Int]
    let hours: [Int]
    let daysOfMonth: [Bool]
    let months: [Bool]
    let daysOfWeek: [Bool]

    /// Any hour: it goes by how much time passes, and not by the hour the clock shows.
    public var isHourly: Bool { hours.count == 24 }

    /// - Parameter text: `minute hour day-of-month month day-of-week`.
    public init(_ text: String) throws(ScheduleError) {
        self.text = text
        let fields = text.split(whereSeparator: { $0 == " " || $0 == "\t" })
        guard fields.count == 5 else {
            throw ScheduleError(
                "a crontab schedule has five fields, `\(text)` has \(fields.count)",
                fix: "write `minute hour day-of-month month day-of-week`, such as \"30 7 * * mon-fri\"")
        }
        minutes = try CrontabField.minute.parse(fields[0]).sorted()
        hours = try CrontabField.hour.parse(fields[1]).sorted()
        let days = try CrontabField.dayOfMonth.parse(fields[2])
        let months = try CrontabField.month.parse(fields[3])
        let weekdays = try CrontabField.dayOfWeek.parse(fields[4])
        daysOfMonth = (0...31).map(days.contains)
        self.months = (0...12).map(months.contains)
        daysOfWeek = (0...6).map(weekdays.contains)
        let exists = months.contains { month in
            // 2000: a leap year.
            days.contains { $0 <= CivilDay.length(ofMonth: month, year: 2000) }
        }
        guard exists else {
            throw ScheduleError(
                "day \(fields[2]) never occurs in month \(fields[3])", fix: "name a day that one of these months has")
        }
    }

    /// The first time after `last` at which the clock shows a matching time; nil: none in 9999 years.
    public func next(after last: WallTime, on clock: LocalClock) -> WallTime? {
        isHourly ? hourly(after: last, on: clock) : daily(after: last, on: clock)
    }

    /// Keeps its pace where the clock is set back: times shown twice count twice.
    private func hourly(after last: WallTime, on clock: LocalClock) -> WallTime? {
        var shown = clock.local(last)
        while let next = next(after: shown) {
            if let time = clock.instants(of: next).first(where: { $0 > last }) {
                return again(after: last, before: time, on: clock) ?? time
            }
            shown = next
        }
        return nil
    }

    /// The first match of those that the clock shows again, if it is set back between these; nil: none.
    private func again(after last: WallTime, before time: WallTime, on clock: LocalClock) -> WallTime? {
        guard clock.offset(at: time) < clock.offset(at: last), let change = clock.change(after: last, until: time)
        else { return nil }
        let first = LocalTime(microseconds: clock.local(change).microseconds - LocalTime.minute)
        guard let match = next(after: first) else { return nil }
        let found = WallTime(microseconds: match.microseconds - clock.offset(at: change) * LocalTime.second)
        return found > last && found < time ? found : nil
    }

    private func daily(after last: WallTime, on clock: LocalClock) -> WallTime? {
        var shown = clock.local(last)
        while let next = next(after: shown) {
            let time = clock.instant(of: next)
            // Where the clock is set back, a time it shows twice counts the first time only.
            if time > last { return time }
            shown = next
        }
        return nil
    }

    func next(after last: LocalTime) -> LocalTime? {
        let today = last.days
        if matches(day: today) {
            if hours.contains(last.hour), let minute = minutes.first(where: { $0 > last.minute }) {
                return at(today, last.hour, minute)
            }
            if let hour = hours.first(where: { $0 > last.hour }) { return at(today, hour, minutes[0]) }
        }
        // Whatever the calendar does, it does again after 400 years.
        for day in (today + 1)...(today + 146_097) where matches(day: day) { return at(day, hours[0], minutes[0]) }
        return nil
    }

    private func matches(day: Int64) -> Bool {
        // 1970-01-01 was a Thursday.
        guard daysOfWeek[Int(day + 4 - floorDivide(day + 4, 7) * 7)] else { return false }
        let date = CivilDay(days: day)
        return months[date.month] && daysOfMonth[date.day]
    }

    private func at(_ day: Int64, _ hour: Int, _ minute: Int) -> LocalTime {
        LocalTime(microseconds: day * LocalTime.day + Int64(hour) * LocalTime.hour + Int64(minute) * LocalTime.minute)
    }
}
