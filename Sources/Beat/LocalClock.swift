// Wall-clock time of a time zone, and back to real time as Python reckons it (celery-wire.md §8.5).
import Foundation
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
}

/// A time zone of the IANA data base, as the system's libraries know it.
public struct LocalClock: Sendable, Equatable {
    private let zone: TimeZone

    public static let utc = LocalClock(zone: .gmt)
    /// As `TZ` or the system says.
    public static var system: LocalClock { LocalClock(zone: .current) }

    private init(zone: TimeZone) { self.zone = zone }

    /// nil: no such zone.
    public init?(_ name: String) {
        if name == "UTC" || name == "GMT" {
            self = .utc
        } else if name.contains("/") || TimeZone.knownTimeZoneIdentifiers.contains(name),
            let zone = TimeZone(identifier: name)
        {
            self.zone = zone
        } else {
            return nil
        }
    }

    public var name: String { zone.identifier == "GMT" ? "UTC" : zone.identifier }

    /// Seconds east of UTC.
    public func offset(at time: WallTime) -> Int64 {
        // Whole seconds, downwards: a fraction before a change is still before it.
        let seconds = floorDivide(time.microseconds, LocalTime.second)
        return Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
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

    /// When the clock first shows what a clock at UTC shows at `time`.
    public func time(showing time: WallTime) -> WallTime {
        instant(of: LocalTime(microseconds: time.microseconds))
    }

    /// "Mon 2026-11-23 07:30:00 +0100".
    public func text(_ time: WallTime) -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = zone
        format.dateFormat = "EEE yyyy-MM-dd HH:mm:ss xx"
        return format.string(from: Date(timeIntervalSince1970: time.secondsSince1970))
    }

    func instant(of local: LocalTime) -> WallTime { instants(of: local)[0] }
}

func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
}
