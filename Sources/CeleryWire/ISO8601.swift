// Times as text, without Foundation: `eta`, `expires`, `date_done`.
public import TaskModel

/// ISO 8601 dates and times, years 1…9999.
public enum ISO8601 {
    /// Reads calendar and week dates with or without time: `2026-11-22T19:50:57.439791+00:00`, `20261122T1950Z`,
    /// `2026-11-22`, `2026-W47-7`. A text without offset means UTC; digits beyond microseconds are dropped.
    /// nil: no such time.
    public static func parse(_ text: String) -> WallTime? {
        var text = text
        return text.withUTF8 { bytes in
            var reader = ISO8601Reader(bytes: bytes)
            return reader.read()
        }
    }

    /// As Python writes it: `2026-11-22T19:50:57.439791+00:00`; without the fraction when that is zero.
    public static func format(_ time: WallTime) -> String {
        // Years outside 1…9999 have no such text; the nearest that has one is written.
        let clamped = max(-62_135_596_800_000_000, min(253_402_300_799_999_999, time.microseconds))
        let (seconds, fraction) = floorDivide(clamped, 1_000_000)
        let (days, secondOfDay) = floorDivide(seconds, 86_400)
        let (year, month, day) = CivilDate.from(days: days)
        return String(unsafeUninitializedCapacity: 32) { out in
            var length = 0
            func put(_ value: Int64, digits: Int, then separator: StaticString) {
                var rest = value
                for place in stride(from: digits - 1, through: 0, by: -1) {
                    out[length + place] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
                    rest /= 10
                }
                length += digits
                for index in 0..<separator.utf8CodeUnitCount {
                    out[length] = separator.utf8Start[index]
                    length += 1
                }
            }
            put(year, digits: 4, then: "-")
            put(month, digits: 2, then: "-")
            put(day, digits: 2, then: "T")
            put(secondOfDay / 3600, digits: 2, then: ":")
            put(secondOfDay / 60 % 60, digits: 2, then: ":")
            if fraction == 0 {
                put(secondOfDay % 60, digits: 2, then: "+00:00")
            } else {
                put(secondOfDay % 60, digits: 2, then: ".")
                put(fraction, digits: 6, then: "+00:00")
            }
            return length
        }
    }
}

func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
}

/// The proleptic Gregorian calendar, counted in days since 1970-01-01. Years begin in March here, which puts the leap
/// day at the end and makes month lengths a linear function.
enum CivilDate {
    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = floorDivide(shifted, 400)
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func from(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }

    static func length(ofMonth month: Int64, year: Int64) -> Int64 {
        guard month == 2 else { return [4, 6, 9, 11].contains(month) ? 30 : 31 }
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    }

    /// Monday of the ISO week 1: the week with the year's first Thursday.
    static func firstMonday(ofYear year: Int64) -> Int64 {
        let fourth = days(year: year, month: 1, day: 4)
        return fourth - floorDivide(fourth + 3, 7).remainder
    }
}
