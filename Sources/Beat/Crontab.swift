// Crontab schedules as Celery has them (celery-wire.md §8.4): all fields must match, days of month and of week too.
public import TaskModel

public struct Crontab: Sendable, Equatable {
    /// As written.
    public let text: String
    let minutes: [Int]
    let hours: [Int]
    let daysOfMonth: [Bool]
    let months: [Bool]
    let daysOfWeek: [Bool]

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
