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
        let date = CivilDay(days: days)
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
            put(date.year, digits: 4, then: "-")
            put(Int64(date.month), digits: 2, then: "-")
            put(Int64(date.day), digits: 2, then: "T")
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
