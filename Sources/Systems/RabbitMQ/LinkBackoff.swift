// How long a link waits before it is tried again: by whether anybody answered.
import Ports
import TaskModel

/// Silence is counted apart from answers: what a broker says while it begins is its first answer, and no reason to stay
/// away for long.
struct LinkBackoff {
    private var answered: Backoff
    private var unanswered: Backoff

    /// Nobody listens at the address: asking again costs neither side anything, and the first who asks once somebody does
    /// should not be late. Seconds.
    private static let maxUnanswered = 0.7

    init(_ options: RabbitMQOptions) {
        answered = options.backoff
        unanswered = Backoff(
            initial: answered.initial, max: min(answered.max, Self.maxUnanswered), jitter: answered.jitter)
    }

    /// Seconds.
    mutating func next(after failure: BrokerFailure) -> Double {
        failure.isUnanswered ? unanswered.next() : answered.next()
    }

    mutating func reset() {
        answered.reset()
        unanswered.reset()
    }
}
