// What the engine wants done. The driver performs these in order; the core never touches the world itself.
// What is large is kept apart (`indirect`), since an action is as large as its largest case.
import Canvas
import Ports
import TaskModel

enum EngineAction {
    indirect case start(StartRequest)
    /// To be decoded beside the loop.
    indirect case decode(Delivery)
    /// To be made beside the loop.
    indirect case make(SequelJob, InFlightID)
    case softStop(RunID)
    case recall(RunID)
    /// Nothing more is to be read from this run, or all is again.
    case holdBack(RunID, Bool)
    case kill(RunID, KillReason)
    indirect case store(ResultRecord, Receipt)
    /// Ask the store what it knows of a task id.
    case lookUp(String, Receipt)
    indirect case publish(Publication, Receipt)
    /// Ask the store how many starts of this name it has counted.
    case readStarts(String, InFlightID)
    /// It starts once this is recorded.
    case recordStart(InFlightID)
    /// The store forgets what it has counted under this name, or counts one less.
    case forgetStarts(String)
    case takeBackStart(String)
    indirect case announce(ChordAnnouncement, Receipt)
    case addToChord(String, Receipt)
    indirect case returnPart(ChordPart, Receipt)
    indirect case keepClaim(ChordClaim, Receipt)
    indirect case finishChord(ChordClaim, Receipt)
    indirect case failChord(ChordClaim, Receipt)
    /// Ask for a permit shared with other hosts.
    indirect case acquire(PermitRequest, InFlightID)
    case renewLimits([PermitRequest], since: Instant)
    indirect case releaseLimit(PermitRequest)
    case acknowledge(DeliveryTag)
    case reject(DeliveryTag, requeue: Bool)
    /// All queues to be consumed from now on.
    case consume([QueueDeclaration])
    case setCredit(Int, queue: String)
    /// The runner has this number of slots now.
    case resize(slots: Int)
    /// Replaces a timer of the same key.
    case arm(TimerKey, afterSeconds: Double)
    case disarm(TimerKey)
    case stopConsuming
    /// Nothing is held any more and no more is taken.
    case stopped
    indirect case log(EngineNote)
    /// Observers get it.
    indirect case emit(TaskEvent, ObservedTask)
}

/// A line for the operator, as data: the words are chosen by `EngineNote+Text.swift`.
enum EngineNote {
    case received(name: String, id: String)
    case started(name: String, id: String, pid: Int32)
    case succeeded(name: String, id: String, seconds: Double, result: [UInt8])
    case failed(name: String, id: String, failure: TaskFailure)
    case retrying(name: String, id: String, afterSeconds: Double, cause: String?)
    case ignored(name: String, id: String)
    /// A state of a task's own with a name that clients take for its end.
    case stateRefused(name: String, id: String, state: String)
    case outOfRoom(queue: String, maxBytes: Int)
    case rejected(name: String, id: String, reason: String, requeue: Bool)
    case discarded(name: String, id: String, reason: String)
    case crashed(name: String, id: String, death: Death, starts: Int, of: Int, output: [UInt8])
    case hardLimit(name: String, id: String, seconds: Double, swept: Int)
    case memoryLimit(name: String, id: String, excess: MemoryExcess, swept: Int)
    case softLimit(name: String, id: String, seconds: Double)
    case refused(String)
    /// The broker has got it back so often that it would soon drop it.
    case resent(name: String, id: String, returns: Int)
    case postponed(name: String, id: String, seconds: Double)
    case requeued(Int)
    /// By its own wish, again and again.
    case requeuesAgain(name: String, id: String)
    /// It ran when the time of the stop was over.
    case interrupted(name: String, id: String)
    case runnerFault(name: String, id: String, reason: String)
    case recordingFailed(id: String, what: String, retryInSeconds: Double)
    case deadLettered(name: String, id: String, queue: String, reason: String)
    case alreadyDone(name: String, id: String)
    case adopted(name: String, id: String)
    /// Others have it, so what came of it here is dropped.
    case claimLost(name: String, id: String)
    case abandoned(Int)
    /// The broker will never take it.
    case unsendable(name: String, id: String, reason: String)
    /// As many outcomes wait to be recorded as we allow; no more is taken.
    case backlogFull(Int, failure: String)
    case backlogDrained(Int)
    case resized(from: Int, to: Int)
    case queuePaused(String, requeued: Int)
    case queueResumed(String)
    case chordFailed(group: String, body: String, reason: String)
    /// Something that should have followed could not be called.
    case notFollowed(id: String, reason: String)
    /// An errback that was called here; `id` is the failed task's.
    case errbackFailed(name: String, id: String, reason: String)
}
