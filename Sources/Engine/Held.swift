// One delivery in our hands, from its arrival to its settlement.
import Canvas
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

struct HeldID: Hashable {
    var number: UInt64
}

/// A reference, since it is looked up and changed at every step; owned by `EngineCore` alone.
final class Held {
    enum Phase {
        /// Not due yet.
        case waiting
        /// Waits until tasks of its name (or key) may start again.
        case limited
        /// Waits for a slot.
        case ready
        /// Has a slot, and the store is asked once more whether it is done.
        case asking
        /// Handed to the runner; `began` has not come.
        case handed(RunID)
        case running(RunID, since: Instant)
        /// The outcome is known; what must outlive us is being recorded.
        case recording
    }

    let id: HeldID
    let delivery: Delivery
    let message: TaskMessage
    var policy: TaskPolicy
    var phase: Phase = .waiting

    /// What the broker knows this delivery by now; nil once it is settled, or its link is gone.
    var tag: DeliveryTag?
    /// Acknowledged before it ran (`acks_late = false`): nobody will deliver it again.
    var wasAcknowledgedEarly = false
    /// Waits not for its eta but until it is handed over again.
    var isPausing = false
    /// When the store did not know it as done.
    var notDoneAt: Instant?
    /// Among those that are ready, by arrival.
    var place: UInt64 = 0
    /// Done by the engine itself.
    var builtin: Builtin?
    /// A series of calls under way.
    var mapping: Mapping?
    /// What it asked of its limit, or holds; and until when that is lent.
    var claim: LimitClaim?
    var leaseUntil: Instant?
    /// Counted among those that wait for it.
    var isInLine = false
    /// A look at a chord's results under way.
    var unlock: ChordUnlock?
    /// The signal it was ended with because it was revoked.
    var terminatedBy: Int32?
    /// Of the child that began it, and when.
    var pid: Int32 = 0
    var beganAt = WallTime(microseconds: 0)
    var began: Bool { pid != 0 }
    var receivedAt = WallTime(microseconds: 0)
    /// What the running task said last, cut short.
    var lastLine: String?
    var readyAt: WallTime?
    /// What the start that ended cost.
    var usage: Usage?
    /// Its run's place in a trace, from when it is handed over.
    var trace: RunTrace?
    /// What observers are told once it is settled.
    var untold: [TaskOccurrence] = []
    /// Times it was handed to the runner without having begun.
    var faults = 0

    /// Set with the steps: when they are through, a redelivery of this attempt has nothing left to do.
    var isDone = false
    /// What is left to be done after the outcome, in order.
    var steps: [Step] = []
    var stepAttempts = 0
    /// A state store is under way; the settlement waits for it so that states never overtake each other.
    var storesState = false
    /// The newest state that came while one was being stored.
    var nextState: ResultRecord?

    /// What the task sends while it runs, in order; the settlement waits for all of it.
    var sending: [Step] = []
    var sendAttempts = 0
    /// The call of an errback that its settlement waits for.
    var errback: RunID?
    /// Tuples of what the running task sent.
    var children: [JSON] = []
    private var readContinuations: Continuations?
    /// What is to follow this task. Read once it is wanted.
    var continuations: Continuations {
        if let readContinuations { return readContinuations }
        let read = message.hasContinuations ? Continuations(reading: message) : .none
        readContinuations = read
        return read
    }

    init(id: HeldID, delivery: Delivery, message: TaskMessage, policy: TaskPolicy) {
        self.id = id
        self.delivery = delivery
        self.message = message
        self.policy = policy
        tag = delivery.tag
    }

    var run: RunID? {
        switch phase {
        case .handed(let run), .running(let run, _): run
        case .waiting, .limited, .ready, .asking, .recording: nil
        }
    }

    /// Seconds; the message's own limits win over the task's.
    var softLimit: Double? { message.softLimit ?? policy.softLimit }
    var hardLimit: Double? { message.hardLimit ?? policy.hardLimit }
    var ignoresResult: Bool { message.ignoreResult ?? policy.ignoreResult }
    /// Starts including the one under way.
    var starts: Int { message.priorStarts + 1 }
}

/// One step of a settlement. A step is done when the other side has confirmed it.
enum Step {
    case store(ResultRecord)
    case publish(Publication)
    /// The chord's size becomes known.
    case announce(ChordAnnouncement)
    case addToChord(String)
    /// The task's part of its chord; if that completes it, the body follows.
    case part(ChordPart, body: JSON)
    /// Nothing, for so many seconds.
    case pause(Double)
    /// To be done only if the claim still holds.
    case claimed(ChordClaim, then: [Step])
    case finishChord(ChordClaim)
    case failChord(ChordClaim)
    case call(Errback)
    case acknowledge
    case reject(requeue: Bool)
    /// A line for the operator, once what is before it is done.
    case note(EngineNote)
}
