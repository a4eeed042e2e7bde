// The steps of a settlement: what must be recorded after an outcome, one step after the other, before the message is
// settled.
import Canvas
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

/// What is left to be done, the step under way first. A reference: the core changes it in place while its task is in
/// the phase `.recording`.
final class Settling {
    private(set) var steps: [Step]
    /// When the steps are through, a redelivery of this attempt has nothing left to do. Not so if the same attempt goes
    /// on elsewhere: requeued, postponed, dead-lettered (a dead letter may be sent again).
    private(set) var isDone: Bool
    /// Failed attempts of the step under way.
    private(set) var attempts = 0
    /// A step failed, and a timer is to try it again.
    private(set) var isRetrying = false
    /// The call of an errback that it waits for.
    var errback: RunID?

    init(_ steps: [Step], isDone: Bool) {
        self.steps = steps
        self.isDone = isDone
    }

    /// Nothing has to be recorded.
    var isAcknowledgement: Bool {
        guard steps.count == 1, case .acknowledge = steps[0] else { return false }
        return true
    }

    /// Roughly, in bytes.
    var size: Int { steps.reduce(0) { $0 + $1.size } }

    /// The step under way is done, or others take its place.
    func replaceFirst(by others: [Step] = []) {
        if others.isEmpty { steps.removeFirst() } else { steps.replaceSubrange(0..<1, with: others) }
        attempts = 0
    }

    /// The attempt is not over: these are its steps from now on.
    func replaceAll(by others: [Step]) {
        steps = others
        attempts = 0
        isDone = false
    }

    /// Steps that come right after the one under way.
    func insertNext(_ others: [Step]) { steps.insert(contentsOf: others, at: 1) }

    /// Its outcome goes nowhere.
    func isDropped() { isDone = false }

    func resumes() { isRetrying = false }

    /// - Returns: attempts of this step so far.
    func failed() -> Int {
        attempts += 1
        isRetrying = true
        return attempts
    }
}

/// One step of a settlement. A step is done when the other side has confirmed it. What is large is kept apart (`indirect`):
/// steps are copied, and most messages have the shortest one only.
enum Step: Sendable {
    indirect case store(ResultRecord)
    indirect case publish(Publication, PublicationPurpose = .resend(hasFailed: false))
    /// The chord's size becomes known.
    indirect case announce(ChordAnnouncement)
    case addToChord(String)
    /// The task's part of its chord; if that completes it, the body follows.
    indirect case part(ChordPart, body: JSON)
    /// Nothing, for this number of seconds.
    case pause(Double)
    /// What it takes long to make: the steps that come here.
    indirect case make(SequelJob, SequelUse)
    /// To be done only if the claim still holds.
    indirect case claimed(ChordClaim, then: [Step])
    indirect case finishChord(ChordClaim)
    indirect case failChord(ChordClaim)
    indirect case call(Errback)
    case acknowledge
    case reject(requeue: Bool)
    /// A line for the operator, once what is before it is done.
    indirect case note(EngineNote)
}
