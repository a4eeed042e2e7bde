// What can happen to the engine. Every input of the state machine is one of these. What is large is kept apart
// (`indirect`), since an event is as large as its largest case, and is moved several times.
import CeleryWire
import Ports
import TaskModel

enum EngineEvent {
    case linkUp
    /// The store can be reached, for the first time or again.
    case storeUp
    /// - Parameter reason: why it cannot be reached, in words.
    case storeDown(reason: String)
    /// What is in flight is unacknowledged: it will be delivered again.
    case linkDown
    /// The same for the deliveries of one queue: its consumer is gone, the link is not.
    case consumerLost(queue: String)
    /// Of one queue much more is in flight than the credit asks for.
    case holdsTooMuch(queue: String, credit: Int)
    indirect case delivered(Delivery)
    /// A long one, decoded beside the loop.
    indirect case decoded(Delivery, Result<TaskMessage, RefusedMessage>)
    /// What it took long to make.
    indirect case made(InFlightID, Result<Sequel, SequelFailure>)
    case began(RunID, pid: Int32)
    case stateChanged(RunID, state: String, meta: [UInt8])
    indirect case finished(RunID, RunReport)
    /// It never began: there was no place for it, or it was recalled.
    case returned(RunID)
    case stored(Receipt, StoreFailure?)
    /// The document the store has of a task id; nil: none, or it did not answer.
    case lookedUp(Receipt, [UInt8]?)
    case published(Receipt, BrokerFailure?)
    /// Starts of it that ended with their host, as the store has counted them.
    case startsRead(InFlightID, Int)
    /// Its start is recorded, or cannot be.
    case startRecorded(InFlightID)
    /// Others have the message that was to be settled.
    case claimLost(InFlightID)
    /// A running task sends another one.
    indirect case sent(RunID, Submission)
    /// A step with a chord (announcing, finishing …) is done.
    case chordKept(Receipt, StoreFailure?)
    indirect case partReturned(Receipt, Result<ChordAnswer, StoreFailure>)
    indirect case claimKept(Receipt, Result<Bool, StoreFailure>)
    case timer(TimerKey)
    /// Bundles came or went: policies and names may have changed.
    /// - Parameter active: a bundle has begun to serve, or serves again.
    case catalogChanged(active: Bool)
    case stop(StopKind)
    case revoke([String], terminate: Int32?)
    /// A revocation is not to be forgotten before this time.
    case keepRevoked(String, until: WallTime)
    case revokeStamps([RevokedStamp], terminate: Int32?)
    /// Starts per second; nil: no limit.
    case setRate(Double?, task: String)
    case setTimeLimits(soft: Double?, hard: Double?, task: String)
    indirect case limitAnswered(InFlightID, PermitRequest, Result<LimitAnswer, StoreFailure>)
    /// All leases there were then hold for their time from then on.
    case limitsRenewed(since: Instant)
    indirect case addQueue(QueueDeclaration)
    case cancelQueue(String)
    case pauseQueue(String)
    case resumeQueue(String)
    /// More slots by this number, or fewer.
    case changeSlots(by: Int)
    case setAutoscale(SlotRange)
}

extension EngineEvent {
    /// What it is, for the log, if it is of a size that may keep the loop; nil for all others, which are not measured.
    var heavyWork: String? {
        switch self {
        case .delivered(let delivery) where delivery.message.body.count >= 65_536:
            "a message of \(delivery.message.body.count) bytes from queue \(delivery.queue)"
        case .revoke(let ids, _) where ids.count >= 100: "a revocation of \(ids.count) ids"
        default: nil
        }
    }
}

/// What waits for a store or a publication.
struct Receipt: Hashable {
    enum Purpose: Hashable {
        /// The next step of its settlement.
        case step
        /// An intermediate state (STARTED, PROGRESS …).
        case state
        /// What the running task sends, by its number in the outbox.
        case sending(UInt64)
        /// Whether a redelivered message is done already.
        case lookUp
        /// A member's result, for a chord that is joined by looking.
        case member
    }

    var task: InFlightID
    var purpose: Purpose
}

enum TimerKey: Hashable {
    /// A message in flight is due.
    case due(InFlightID)
    case softLimit(RunID)
    case hardLimit(RunID)
    /// A step of a settlement is tried again.
    case step(InFlightID)
    /// What the task sent is tried again.
    case sending(InFlightID, UInt64)
    /// A run that could not begin is dispatched again.
    case redispatch(InFlightID)
    /// The next task of this name may start.
    case rate(task: String)
    /// The queue of a limit asks again.
    case limit(String)
    case renewLimits
    /// The rate is looked at, credit follows.
    case credit
    /// Slots that were not needed for long may go.
    case scale
    /// The grace period is over.
    case grace
    /// A cold stop that does not end by itself is ended.
    case abandon
}

/// Each is harder than the one before; a stop never becomes softer.
public enum StopKind: Int, Sendable, Comparable {
    /// Take no more, let running tasks finish within the grace period, requeue the rest.
    case warm
    /// The same within the time that comes before a cold stop (Celery's `worker_soft_shutdown_timeout`).
    case soft
    /// Requeue everything now, running tasks too.
    case cold

    public static func < (left: StopKind, right: StopKind) -> Bool { left.rawValue < right.rawValue }
}
