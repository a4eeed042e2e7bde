/// A point on the monotonic clock, for timers and durations.
public struct Instant: Sendable, Hashable, Comparable {
    public var nanoseconds: UInt64

    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Negative durations clamp to this instant's start of time; longer than 290 years to its end.
    public func advanced(bySeconds seconds: Double) -> Instant {
        let delta = max(-9e18, min(9e18, seconds * 1e9))
        if delta >= 0 { return Instant(nanoseconds: nanoseconds &+ UInt64(delta)) }
        let back = UInt64(-delta)
        return Instant(nanoseconds: nanoseconds > back ? nanoseconds - back : 0)
    }

    public func seconds(since earlier: Instant) -> Double {
        nanoseconds >= earlier.nanoseconds
            ? Double(nanoseconds - earlier.nanoseconds) / 1e9
            : -Double(earlier.nanoseconds - nanoseconds) / 1e9
    }
}

/// A point on the wall clock, in microseconds since 1970 UTC: the unit of `eta`, `expires` and `date_done`.
public struct WallTime: Sendable, Hashable, Comparable {
    public var microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }

    public init(secondsSince1970 seconds: Double) {
        microseconds = Int64(max(-9e15, min(9e15, (seconds * 1e6).rounded())))
    }

    public static func < (left: WallTime, right: WallTime) -> Bool { left.microseconds < right.microseconds }

    public var secondsSince1970: Double { Double(microseconds) / 1e6 }

    public func advanced(bySeconds seconds: Double) -> WallTime {
        WallTime(secondsSince1970: secondsSince1970 + seconds)
    }

    public func seconds(since earlier: WallTime) -> Double { Double(microseconds - earlier.microseconds) / 1e6 }
}

/// Both clocks, read together.
public struct Clocks: Sendable, Equatable {
    public var monotonic: Instant
    public var wall: WallTime

    public init(monotonic: Instant, wall: WallTime) {
        self.monotonic = monotonic
        self.wall = wall
    }
}
