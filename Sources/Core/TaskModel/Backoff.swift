// How long to wait before the next attempt: the one rule that everything which tries again follows.

/// Grows from `initial` by `factor` to `max`. Each wait is drawn from a part of its step (`jitter`), so that hosts that
/// lost the same server do not come back in step.
public struct Backoff: Sendable {
    /// Seconds; above 0, and at most `max`.
    public let initial: Double
    /// Seconds: no step is longer.
    public let max: Double
    /// From one step to the next; above 1.
    public let factor: Double
    /// The parts of a step that a wait may be, 1 being all of it.
    public let jitter: ClosedRange<Double>
    /// Waits given since the beginning or the last `reset`.
    public private(set) var attempts = 0

    /// - Parameters:
    ///   - initial: the first step in seconds; never longer than `max`.
    ///   - max: the longest step in seconds.
    ///   - jitter: `Backoff.upperHalf` where many may try again at once; without any by default.
    public init(initial: Double, max: Double, factor: Double = 2, jitter: ClosedRange<Double> = 1...1) {
        precondition(factor > 1, "a back-off grows")
        self.initial = Swift.min(initial, max)
        self.max = max
        self.factor = factor
        self.jitter = jitter
    }

    public static let upperHalf = 0.5...1.0

    /// Seconds before the next attempt; longer each time.
    public mutating func next() -> Double {
        let step = step(attempts)
        attempts += 1
        return jitter.lowerBound == jitter.upperBound
            ? step * jitter.upperBound : step * Double.random(in: jitter)
    }

    /// It worked: the next wait is the first again.
    public mutating func reset() { attempts = 0 }

    /// Seconds before the attempt that follows so many failed waits, without jitter: `initial` for 0.
    public func step(_ number: Int) -> Double {
        var step = initial
        for _ in 0..<Swift.max(0, number) {
            guard step < max, step > 0 else { break }
            step *= factor
        }
        return Swift.min(step, max)
    }
}
