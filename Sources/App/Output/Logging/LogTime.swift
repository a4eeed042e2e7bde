import CeleryWire
import Glibc
package import TaskModel

/// The time at the beginning of log lines.
package enum LogTime {
    /// UTC, "2026-11-22T19:50:57.439791+00:00".
    static func iso() -> String { ISO8601.format(now()) }

    /// Local, "19:50:57.439".
    package static func clock(_ time: WallTime = now()) -> String {
        var seconds = time_t(time.microseconds / 1_000_000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        let numbers = [(parts.tm_hour, 2), (parts.tm_min, 2), (parts.tm_sec, 2)].map { pad(Int($0.0), $0.1) }
        return numbers.joined(separator: ":") + "." + pad(Int(time.microseconds / 1000 % 1000), 3)
    }

    package static func now() -> WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    private static func pad(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
