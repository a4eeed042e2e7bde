import Ports
// What can happen to the engine. Every input of the state machine is one of these.
import TaskModel

enum EngineEvent {
    case linkUp
    /// Everything held is unknown: it will be delivered again.
    case linkDown
    /// The same for the deliveries of one queue: its consumer is gone, the link is not.
    case consumerLost(queue: String)
    case delivered(Delivery)
    case began(RunID, pid: Int32)
    case stateChanged(RunID, state: String, meta: [UInt8])
    case finished(RunID, RunReport)
    case stored(Receipt, StoreFailure?)
    case lookedUp(Receipt, TaskState?)
    case published(Receipt, BrokerFailure?)
    case timer(TimerKey)
    /// Bundles came or went: policies and names may have changed.
    case catalogChanged
    case stop(StopKind)
}

/// Who waits for a store or a publication.
struct Receipt: Hashable {
    enum Purpose: Hashable {
        /// The next step of its settlement.
        case step
        /// A state on the way (STARTED, PROGRESS …).
        case state
        /// Whether a redelivered message is done already.
        case lookUp
    }

    var held: HeldID
    var purpose: Purpose
}

enum TimerKey: Hashable {
    /// A held message is due.
    case due(HeldID)
    case softLimit(RunID)
    case hardLimit(RunID)
    /// A step of a settlement is tried again.
    case step(HeldID)
    /// A run that could not begin is handed over again.
    case again(HeldID)
    /// The rate is looked at, credit follows.
    case credit
    /// The grace period is over.
    case grace
    /// A cold stop that does not end by itself is ended.
    case abandon
}

public enum StopKind: Sendable, Equatable {
    /// Take no more, let running tasks finish within the grace period, give the rest back.
    case warm
    /// Give everything back now, running tasks too.
    case cold
}
