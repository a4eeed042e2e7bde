// How long a link to a database waits before it connects again.
public import TaskModel

public struct LinkPause {
    private var pause = backOff.lowerBound
    private var upSince: Instant?

    private static let backOff = 0.1...2.0
    /// After so long a link has been good, and the next attempt after its loss comes soon.
    private static let goodSeconds = 1.0
    private static let refusedPause = 10.0

    public init() {}

    public mutating func up(at now: Instant) { upSince = now }

    /// What is refused from the start is asked again slowly.
    public mutating func refused() { pause = Self.refusedPause }

    /// Seconds to the next attempt; grows from one to the next, with jitter.
    public mutating func next(at now: Instant) -> Double {
        if let since = upSince, now.seconds(since: since) >= Self.goodSeconds { pause = Self.backOff.lowerBound }
        upSince = nil
        defer { pause = min(pause * 2, max(Self.backOff.upperBound, pause)) }
        return pause * Double.random(in: 0.5...1)
    }
}
