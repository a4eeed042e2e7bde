// Days of the Gregorian calendar. CeleryWire has the same for its texts, but keeps it to itself.

/// A day, from its count since 1970-01-01.
struct CivilDay: Equatable {
    let year: Int64
    let month: Int
    let day: Int

    init(days: Int64) {
        // Years are counted from March here: the leap day comes last.
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        month = Int(marchMonth < 10 ? marchMonth + 3 : marchMonth - 9)
        day = Int(dayOfYear - (153 * marchMonth + 2) / 5 + 1)
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    }

    static func length(ofMonth month: Int, year: Int64) -> Int {
        guard month == 2 else { return [4, 6, 9, 11].contains(month) ? 30 : 31 }
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    }
}
