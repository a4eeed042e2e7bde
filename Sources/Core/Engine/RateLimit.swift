// How often tasks of one name may start (celery-protocol.md §3.4).
import Ports
import TaskModel

/// A bucket for one token, full at first, that fills at a steady rate.
struct RateLimit {
    /// Starts per second, > 0.
    let perSecond: Double
    private var tokens = 1.0
    private var filled: Instant?

    init(perSecond: Double) { self.perSecond = perSecond }

    /// Seconds until the next token; 0: it has just been taken.
    mutating func take(at now: Instant) -> Double {
        if let filled { tokens = min(1, tokens + max(0, now.seconds(since: filled)) * perSecond) }
        filled = now
        // Timers count in nanoseconds: a token that lacks what comes in within two of them is whole. Else the rest of a
        // nanosecond would be waited for again and again.
        guard tokens >= 1 - max(1e-9, 2e-9 * perSecond) else { return (1 - tokens) / perSecond }
        tokens = max(0, tokens - 1)
        return 0
    }

    /// - Parameter text: "10/s", "10/m", "10/h"; a number alone is per second; nothing or zero: no limit.
    /// - Returns: starts per second; nil: no limit.
    static func parse(_ text: String?) throws(ControlRefusal) -> Double? {
        guard let text, !text.isEmpty else { return nil }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let digits = String(parts[0].drop { $0 == " " })
        guard let count = Double(digits), count.isFinite, count >= 0 else { throw .invalidRate(String(parts[0])) }
        let unit = parts.count > 1 ? String(parts[1]) : "s"
        guard let seconds = ["s": 1.0, "m": 60, "h": 3_600][unit] else { throw .unknownUnit(unit) }
        return count > 0 ? count / seconds : nil
    }
}

/// Whether a rate limit can be read.
public func isRateLimit(_ text: String) -> Bool {
    do throws(ControlRefusal) {
        _ = try RateLimit.parse(text)
        return true
    } catch {
        return false
    }
}
