// One message in flight, from its delivery to its settlement: what is known of it whatever its phase. What only one
// phase needs (a run, the steps of a settlement) is in that phase: TaskRun.swift.
import Canvas
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

struct InFlightID: Hashable {
    var number: UInt64
}

/// A reference, since it is looked up and changed at every step; owned by `EngineCore` alone.
final class InFlight {
    let id: InFlightID
    let delivery: Delivery
    let message: TaskMessage
    var policy: TaskPolicy
    var phase: Phase = .waiting(for: .admission)

    /// What the broker knows this delivery by now; nil once it is settled, or its link is gone.
    var tag: DeliveryTag?
    /// Acknowledged before it ran (`acks_late = false`): the broker will not deliver it again.
    var wasAcknowledgedEarly = false
    /// Counted on top of the credit of its queue, since it waits for its time.
    var isDelayed = false
    /// About what it takes in memory, in bytes.
    let size: Int
    /// When the store did not know it as done.
    var notDoneAt: Instant?
    /// Done by the engine itself.
    var builtin: Builtin?
    /// A series of calls under way.
    var mapping: Mapping?
    /// When its last start began; nil: none has.
    var beganAt: WallTime?
    var receivedAt = WallTime(microseconds: 0)
    var readyAt: WallTime?
    /// What the start that ended cost.
    var usage: Usage?
    /// Its run's place in a trace, from when it is dispatched.
    var trace: RunTrace?
    /// Starts that ended with their host.
    var lostStarts = 0
    /// The start that is to come is recorded, and it waited for that.
    var startIsRecorded = false
    /// Events that observers get once it is settled.
    var pendingEvents: [TaskEvent] = []
    /// Times it was dispatched without having begun.
    var faults = 0
    /// Intermediate states that are being stored.
    var states = StateWrites()
    /// What the task sends while it runs, in order; the settlement waits for all of it.
    var outbox = Outbox()
    /// Tuples of what the running task sent.
    var children: [JSON] = []
    private var readContinuations: Continuations?
    /// What is to follow this task. Read once it is wanted.
    var continuations: Continuations {
        get {
            if let readContinuations { return readContinuations }
            let read = message.hasContinuations ? Continuations(reading: message) : .none
            readContinuations = read
            return read
        }
        set { readContinuations = newValue }
    }

    init(id: InFlightID, delivery: Delivery, message: TaskMessage, policy: TaskPolicy) {
        self.id = id
        self.delivery = delivery
        self.message = message
        self.policy = policy
        tag = delivery.tag
        size = Self.size(of: delivery)
    }

    static func size(of delivery: Delivery) -> Int { delivery.message.body.count + MemoryBudget.overhead }

    /// Number of ids made for what follows it.
    var madeIDs: UInt64 = 0

    /// For what follows it, where its sender has named nothing: the same ids again when it has to be repeated after a
    /// restart, so that a receiver of both knows them for one.
    func nextID() -> String {
        madeIDs += 1
        return FollowingID.text(of: message, number: madeIDs)
    }

    /// Seconds; the message's own limits win over the task's.
    var softLimit: Double? { message.softLimit ?? policy.softLimit }
    var hardLimit: Double? { message.hardLimit ?? policy.hardLimit }
    var ignoresResult: Bool { message.ignoreResult ?? policy.ignoreResult }
    /// Starts including the one under way.
    var starts: Int { message.priorStarts + lostStarts + 1 }
}
