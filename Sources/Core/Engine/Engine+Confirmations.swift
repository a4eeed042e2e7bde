// How long brokers and stores take to confirm, for metrics.
import Ports
import TaskModel

extension Engine {
    public enum Confirmation: String, Sendable {
        case publish, store
    }

    func confirmed(_ what: Confirmation, since: Instant, _ isDone: Bool) {
        guard let onConfirmed, isDone else { return }
        onConfirmed(what, loop.clocks.monotonic.seconds(since: since))
    }
}
