// What can happen to the engine. Every input of the state machine is one of these.
import Ports
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
    /// The document the store has of a task id; nil: none, or it cannot tell.
    case lookedUp(Receipt, [UInt8]?)
    case published(Receipt, BrokerFailure?)
    /// A running task sends another one.
    case sent(RunID, Submission)
    /// A step with a chord (announcing, finishing …) is done.
    case chordKept(Receipt, StoreFailure?)
    case partReturned(Receipt, Result<ChordAnswer, StoreFailure>)
    case claimKept(Receipt, Result<Bool, StoreFailure>)
    case timer(TimerKey)
    /// Bundles came or went: policies and names may have changed.
    case catalogChanged
    case stop(StopKind)
    case revoke([String], terminate: Int32?)
    case revokeStamps([RevokedStamp], terminate: Int32?)
    /// Starts per second; nil: no limit.
    case setRate(Double?, task: String)
    case setTimeLimits(soft: Double?, hard: Double?, task: String)
    case limitAnswered(HeldID, LimitClaim, Result<LimitAnswer, StoreFailure>)
    /// The leases of all places we had then are good for their time from then on.
    case limitsRenewed(since: Instant)
    case addQueue(QueueDeclaration)
    case cancelQueue(String)
    case pauseQueue(String)
    case resumeQueue(String)
    /// So many slots more, or fewer.
    case changeSlots(by: Int)
    case setAutoscale(SlotRange)
}

/// Who waits for a store or a publication.
struct Receipt: Hashable {
    enum Purpose: Hashable {
        /// The next step of its settlement.
        case step
        /// A state on the way (STARTED, PROGRESS …).
        case state
        /// What the running task sends.
        case sending
        /// Whether a redelivered message is done already.
        case lookUp
        /// A member's result, for a chord that is joined by looking.
        case member
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
    /// What the task sent is tried again.
    case sending(HeldID)
    /// A run that could not begin is handed over again.
    case again(HeldID)
    /// The next task of this name may start.
    case rate(task: String)
    /// A line asks again.
    case limit(String)
    case renewLimits
    /// The rate is looked at, credit follows.
    case credit
    /// Slots that nobody has needed for long may go.
    case scale
    /// The grace period is over.
    case grace
    /// A cold stop that does not end by itself is ended.
    case abandon
}

/// Each is harder than the one before; a stop never becomes softer.
public enum StopKind: Int, Sendable, Comparable {
    /// Take no more, let running tasks finish within the grace period, give the rest back.
    case warm
    /// The same within the time that comes before a cold stop (Celery's `worker_soft_shutdown_timeout`).
    case soft
    /// Give everything back now, running tasks too.
    case cold

    public static func < (left: StopKind, right: StopKind) -> Bool { left.rawValue < right.rawValue }
}
