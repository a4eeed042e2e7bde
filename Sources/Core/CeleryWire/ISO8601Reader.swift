// The forms of ISO 8601 dates and times that are read.
import TaskModel

struct ISO8601Reader {
    let bytes: UnsafeBufferPointer<UInt8>
    private var offset = 0

    init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    mutating func read() -> WallTime? {
        guard let days = date() else { return nil }
        var microseconds = days * 86_400_000_000
        if offset < bytes.count {
            guard let time = timeOfDay() else { return nil }
            microseconds += time
        }
        guard offset == bytes.count else { return nil }
        return WallTime(microseconds: microseconds)
    }

    private var peek: UInt8 { offset < bytes.count ? bytes[offset] : 0 }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    private mutating func digits(_ count: Int) -> Int64? {
        guard bytes.count - offset >= count else { return nil }
        var value: Int64 = 0
        for byte in bytes[offset..<(offset + count)] {
            guard byte &- 0x30 < 10 else { return nil }
            value = value * 10 + Int64(byte - 0x30)
        }
        offset += count
        return value
    }

    /// Days since 1970-01-01.
    private mutating func date() -> Int64? {
        guard let year = digits(4), year >= 1 else { return nil }
        if offset == bytes.count { return CivilDay.days(year: year, month: 1, day: 1) }
        let isExtended = skip("-")
        if skip("W") { return weekDate(year: year, isExtended: isExtended) }
        guard let month = digits(2), 1...12 ~= month else { return nil }
        // `2026-11` is a month, `202611` would be read as a short date by some: refused.
        if offset == bytes.count { return isExtended ? CivilDay.days(year: year, month: Int(month), day: 1) : nil }
        if isExtended, !skip("-") { return nil }
        guard let day = digits(2), day >= 1, day <= CivilDay.length(ofMonth: Int(month), year: year) else {
            return nil
        }
        return CivilDay.days(year: year, month: Int(month), day: Int(day))
    }

    private mutating func weekDate(year: Int64, isExtended: Bool) -> Int64? {
        guard let week = digits(2), week >= 1 else { return nil }
        var weekday: Int64 = 1
        let hasDay = isExtended ? skip("-") : peek &- 0x30 < 10
        if hasDay {
            guard let day = digits(1), 1...7 ~= day else { return nil }
            weekday = day
        }
        let start = Self.firstMonday(ofYear: year) + (week - 1) * 7
        guard start < Self.firstMonday(ofYear: year + 1) else { return nil }
        return start + weekday - 1
    }

    /// Monday of the ISO week 1: the week with the year's first Thursday.
    private static func firstMonday(ofYear year: Int64) -> Int64 {
        let fourth = CivilDay.days(year: year, month: 1, day: 4)
        return fourth - Int64((CivilDay.weekday(days: fourth) + 6) % 7)
    }

    /// Microseconds since midnight UTC, the offset taken off. Any single character may stand before the time.
    private mutating func timeOfDay() -> Int64? {
        offset += 1
        guard let hour = digits(2), hour <= 24 else { return nil }
        let isExtended = peek == UInt8(ascii: ":")
        var minute: Int64 = 0
        var second: Int64 = 0
        var fraction: Int64 = 0
        if isExtended ? skip(":") : peek &- 0x30 < 10 {
            guard let value = digits(2), value < 60 else { return nil }
            minute = value
            if isExtended ? skip(":") : peek &- 0x30 < 10 {
                guard let value = digits(2), value < 60 else { return nil }
                second = value
                if skip(".") || skip(",") {
                    guard let value = microsecondFraction() else { return nil }
                    fraction = value
                }
            }
        }
        // 24:00 is the end of the day and nothing else.
        guard hour < 24 || (minute == 0 && second == 0 && fraction == 0) else { return nil }
        guard let shift = zone() else { return nil }
        return ((hour * 60 + minute) * 60 + second - shift) * 1_000_000 + fraction
    }

    private mutating func microsecondFraction() -> Int64? {
        var value: Int64 = 0
        var places = 0
        while peek &- 0x30 < 10 {
            if places < 6 { value = value * 10 + Int64(peek - 0x30) }
            places += 1
            offset += 1
        }
        guard places > 0 else { return nil }
        for _ in places..<max(places, 6) { value *= 10 }
        return value
    }

    /// Seconds east of UTC; 0 when the text names no zone.
    private mutating func zone() -> Int64? {
        if offset == bytes.count || skip("Z") || skip("z") { return 0 }
        let isWest = peek == UInt8(ascii: "-")
        guard isWest || peek == UInt8(ascii: "+") else { return nil }
        offset += 1
        guard let hours = digits(2), hours < 24 else { return nil }
        var seconds = hours * 3600
        for unit in [Int64(60), 1] where offset < bytes.count {
            _ = skip(":")
            guard let value = digits(2), value < 60 else { return nil }
            seconds += value * unit
        }
        return isWest ? -seconds : seconds
    }
}
