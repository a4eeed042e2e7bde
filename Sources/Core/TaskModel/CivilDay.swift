// Days of the Gregorian calendar, for all texts and rules that name one.

/// A day, by its count since 1970-01-01. The calendar is taken to have been in use always.
public struct CivilDay: Sendable, Equatable {
    public let year: Int64
    /// From 1.
    public let month: Int
    /// Of the month, from 1.
    public let day: Int

    public init(days: Int64) {
        // Years are counted from March here, which puts the leap day at the end and makes months a linear function.
        let shifted = days + 719_468
        let era = (shifted - Self.remainder(shifted, 146_097)) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        month = Int(marchMonth < 10 ? marchMonth + 3 : marchMonth - 9)
        day = Int(dayOfYear - (153 * marchMonth + 2) / 5 + 1)
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    }

    /// Days since 1970-01-01.
    public static func days(year: Int64, month: Int, day: Int) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let yearOfEra = remainder(shifted, 400)
        let era = (shifted - yearOfEra) / 400
        let dayOfYear = Int64((153 * ((month + 9) % 12) + 2) / 5 + day - 1)
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// Sunday is 0. 1970 began on a Thursday.
    public static func weekday(days: Int64) -> Int { Int(remainder(days + 4, 7)) }

    public static func length(ofMonth month: Int, year: Int64) -> Int {
        guard month == 2 else { return [4, 6, 9, 11].contains(month) ? 30 : 31 }
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    }

    /// Of the division that rounds downwards.
    private static func remainder(_ value: Int64, _ divisor: Int64) -> Int64 {
        let remainder = value % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}
