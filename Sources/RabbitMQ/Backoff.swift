// How long to wait before the next attempt.

/// Doubles from `first` to `longest`; each wait is drawn from the upper half of the step, so that hosts that lost the
/// same broker do not come back in step.
struct Backoff {
    var first: Double
    var longest: Double
    private var step: Double = 0

    init(first: Double, longest: Double) {
        self.first = first
        self.longest = longest
    }

    /// Seconds.
    mutating func next() -> Double {
        step = step == 0 ? first : min(longest, step * 2)
        return step * Double.random(in: 0.5...1)
    }

    mutating func reset() { step = 0 }
}
