// What the engine wants done. The driver performs these in order; the core never touches the world itself.
import Canvas
import Ports
import TaskModel

enum EngineAction {
    case start(StartRequest)
    case softStop(RunID)
    case kill(RunID, KillReason)
    case store(ResultRecord, Receipt)
    /// Ask the store what it knows of a task id.
    case lookUp(String, Receipt)
    case publish(Publication, Receipt)
    case announce(ChordAnnouncement, Receipt)
    case addToChord(String, Receipt)
    case returnPart(ChordPart, Receipt)
    case keepClaim(ChordClaim, Receipt)
    case finishChord(ChordClaim, Receipt)
    case failChord(ChordClaim, Receipt)
    /// Ask for a place shared with other hosts.
    case acquire(LimitClaim, HeldID)
    case renewLimits([LimitClaim], since: Instant)
    case releaseLimit(LimitClaim)
    case acknowledge(DeliveryTag)
    case reject(DeliveryTag, requeue: Bool)
    /// All queues to be consumed from now on.
    case consume([QueueDeclaration])
    case setCredit(Int, queue: String)
    /// The runner has so many slots now.
    case resize(slots: Int)
    /// Replaces a timer of the same key.
    case arm(TimerKey, afterSeconds: Double)
    case disarm(TimerKey)
    case stopConsuming
    /// Nothing is held any more and no more is taken.
    case stopped
    case log(EngineNote)
    /// Observers are told.
    case tell(TaskOccurrence, ObservedTask)
}

/// A line for the operator, as data: the words are chosen by `EngineNote+Text.swift`.
enum EngineNote {
    case received(name: String, id: String)
    case started(name: String, id: String, pid: Int32)
    case succeeded(name: String, id: String, seconds: Double, result: [UInt8])
    case failed(name: String, id: String, failure: TaskFailure)
    case retrying(name: String, id: String, afterSeconds: Double, cause: String?)
    case ignored(name: String, id: String)
    case rejected(name: String, id: String, reason: String, requeue: Bool)
    case discarded(name: String, id: String, reason: String)
    case crashed(name: String, id: String, death: Death, starts: Int, of: Int, output: [UInt8])
    case hardLimit(name: String, id: String, seconds: Double, swept: Int)
    case memoryLimit(name: String, id: String, excess: MemoryExcess, swept: Int)
    case softLimit(name: String, id: String, seconds: Double)
    case refused(String)
    case postponed(name: String, id: String, seconds: Double)
    case givenBack(Int)
    /// It ran when the time of the stop was over.
    case interrupted(name: String, id: String)
    case runnerFault(name: String, id: String, reason: String)
    case recordingFailed(id: String, what: String, retryInSeconds: Double)
    case deadLettered(id: String, queue: String, reason: String)
    case alreadyDone(name: String, id: String)
    case adopted(name: String, id: String)
    case abandoned(Int)
    case resized(from: Int, to: Int)
    case queuePaused(String, givenBack: Int)
    case queueResumed(String)
    case chordFailed(group: String, body: String, reason: String)
    /// Something that should have followed could not be called.
    case notFollowed(id: String, reason: String)
    /// An errback that was called here; `id` is the failed task's.
    case errbackFailed(name: String, id: String, reason: String)
}
