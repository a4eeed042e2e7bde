// A time zone's rule for every year, as POSIX writes it: "CET-1CEST,M3.5.0,M10.5.0/3".
import TaskModel

/// Standard time, and summer time if the zone has one. All in seconds.
struct YearlyRule: Sendable, Equatable {
    /// East of UTC.
    let standard: Int64
    private var summer: Summer?

    private struct Summer: Equatable {
        var offset: Int64
        var begin: Moment
        var end: Moment
    }

    /// A day of each year, and the time on the clock that is set then (which may be on another day).
    private struct Moment: Equatable {
        enum Day: Equatable {
            /// 1 to 365; there is no 29 February.
            case withoutLeapDay(Int)
            /// 0 to 365.
            case ofYear(Int)
            /// Week 5 is the last one; Sunday is 0.
            case weekday(month: Int, week: Int, day: Int)
        }

        var day: Day
        var time: Int64

        func seconds(in year: Int64) -> Int64 { days(in: year) * 86_400 + time }

        private func days(in year: Int64) -> Int64 {
            let newYear = CivilDay.days(year: year, month: 1, day: 1)
            switch day {
            case .ofYear(let day): return newYear + Int64(day)
            case .withoutLeapDay(let day):
                let isLater = day > 59 && CivilDay.length(ofMonth: 2, year: year) == 29
                return newYear + Int64(day) - (isLater ? 0 : 1)
            case .weekday(let month, let week, let day):
                let first = CivilDay.days(year: year, month: month, day: 1)
                let found = (day - CivilDay.weekday(days: first) + 7) % 7 + 7 * (week - 1)
                return first + Int64(found >= CivilDay.length(ofMonth: month, year: year) ? found - 7 : found)
            }
        }
    }

    func offset(at time: Int64) -> Int64 {
        guard let summer else { return standard }
        let year = CivilDay(days: floorDivide(time + standard, 86_400)).year
        let begin = summer.begin.seconds(in: year) - standard
        let end = summer.end.seconds(in: year) - summer.offset
        // South of the equator it is summer at both ends of the year.
        let isSummer = begin < end ? begin <= time && time < end : !(end <= time && time < begin)
        return isSummer ? summer.offset : standard
    }

    /// nil: it is no such rule.
    init?(_ text: String) {
        var rest = text[...]
        guard Self.skipName(&rest), let west = Self.time(&rest, most: 24) else { return nil }
        standard = -west
        if rest.isEmpty { return }
        guard Self.skipName(&rest) else { return nil }
        var offset = standard + 3600
        if !rest.isEmpty, rest.first != "," {
            guard let west = Self.time(&rest, most: 24) else { return nil }
            offset = -west
        }
        // Without days it is America's rule, says POSIX.
        if rest.isEmpty { rest = ",M3.2.0,M11.1.0" }
        guard let begin = Self.moment(&rest), let end = Self.moment(&rest), rest.isEmpty else { return nil }
        summer = Summer(offset: offset, begin: begin, end: end)
    }

    /// "CET" or "<+0330>".
    private static func skipName(_ text: inout Substring) -> Bool {
        if text.first == "<" {
            guard let end = text.firstIndex(of: ">") else { return false }
            text = text[text.index(after: end)...]
            return true
        }
        let name = text.prefix { $0.isLetter }
        text = text.dropFirst(name.count)
        return name.count >= 3
    }

    private static func number(_ text: inout Substring, most: Int) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits), number <= most else { return nil }
        text = text.dropFirst(digits.count)
        return number
    }

    private static func skip(_ character: Character, _ text: inout Substring) -> Bool {
        guard text.first == character else { return false }
        text = text.dropFirst()
        return true
    }

    /// "[+-]hh[:mm[:ss]]"
    private static func time(_ text: inout Substring, most: Int) -> Int64? {
        let isNegative = skip("-", &text)
        if !isNegative { _ = skip("+", &text) }
        guard var seconds = number(&text, most: most).map({ $0 * 3600 }) else { return nil }
        for unit in [60, 1] where skip(":", &text) {
            guard let part = number(&text, most: 59) else { return nil }
            seconds += part * unit
        }
        return Int64(isNegative ? -seconds : seconds)
    }

    /// ",M10.5.0/3", ",J60" or ",59/-2"; without a time it is two o'clock.
    private static func moment(_ text: inout Substring) -> Moment? {
        guard skip(",", &text) else { return nil }
        let day: Moment.Day
        if skip("M", &text) {
            guard let month = number(&text, most: 12), month > 0, skip(".", &text),
                let week = number(&text, most: 5), week > 0, skip(".", &text), let weekday = number(&text, most: 6)
            else { return nil }
            day = .weekday(month: month, week: week, day: weekday)
        } else if skip("J", &text) {
            guard let number = number(&text, most: 365), number > 0 else { return nil }
            day = .withoutLeapDay(number)
        } else {
            guard let number = number(&text, most: 365) else { return nil }
            day = .ofYear(number)
        }
        guard skip("/", &text) else { return Moment(day: day, time: 7200) }
        // More than a day is for rules like "the Friday before the last Sunday".
        return time(&text, most: 167).map { Moment(day: day, time: $0) }
    }
}
