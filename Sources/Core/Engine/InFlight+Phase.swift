// The phases of a message in flight: what there is in each, and what leads from one to the next.
//
//     taken ─► waiting ─► limited ─► ready ─► checking ─► dispatched ─► running ─► recording ─► over
//
//     waiting     → limited, ready  it is due, or what was asked is answered (becameDue, lookedUp, startsRead)
//     limited     → ready           a token, a permit, the suspect before it has ended (admitWaiting, limitAnswered,
//                                   startNextSuspect)
//     ready       → dispatched      a slot is free (startReady)
//                 → checking        the store is asked once more, or its start is recorded first (checksResultAgain,
//                                   recordsStart)
//                 → limited         its lease has ended, or another suspect runs (rejoinsLimitQueue, maySuspectStart)
//     checking    → ready           it is not done (lookedUp)
//                 → dispatched      its start is recorded (startRecorded)
//     dispatched  → running         its child has begun it (began)
//     dispatched  → ready           there was no place for it, or it was recalled (returned)
//                 → waiting         the run could not begin (redispatchLater)
//     running     → waiting         another task may have killed the zygote (redispatchLater)
//     running     → dispatched      the next call of a series that is one task (mapped)
//     any         → recording       its outcome is known, or it is requeued, postponed, discarded, dead-lettered
//                                   (record)
//     recording   → over            its last step is done (settle)
//     waiting … checking → over     the link is lost, and the broker delivers it again (loseTag)
import CeleryWire
import TaskModel

extension InFlight {
    enum Phase {
        /// It may not start yet: it is not due, or an answer is outstanding.
        case waiting(for: Wait)
        /// Waits until tasks of its name (or key) may start again, or until a suspect has ended.
        case limited
        /// Waits for a slot, in the order of its arrival here.
        case ready(order: UInt64)
        /// Has a slot, and starts when it is known whether it may.
        case checking(Check, order: UInt64)
        /// Handed to the runner; `began` has not come.
        case dispatched(Execution)
        case running(Execution)
        /// The outcome is known; what must outlive this process is being recorded.
        case recording(Settling)
        /// Settled, or lost with its link.
        case over
    }

    enum Wait {
        /// It has just come.
        case admission
        case eta
        /// The store is asked whether it is done or revoked already.
        case storedResult
        /// The store is asked how many of its starts ended with their host.
        case startCount
        /// Its run could not begin; it is dispatched again after a pause.
        case redispatch
        /// It joins a chord itself, and looks at the results of the members.
        indirect case chordMembers(ChordUnlock)
    }

    enum Check {
        /// The store is asked once more whether it is done.
        case result
        /// Its start is being recorded.
        case start
    }

    /// Its place among those that are ready for a slot.
    var order: UInt64? {
        switch phase {
        case .ready(let order), .checking(_, let order): order
        case .waiting, .limited, .dispatched, .running, .recording, .over: nil
        }
    }

    var isLimited: Bool { if case .limited = phase { true } else { false } }

    var execution: Execution? {
        switch phase {
        case .dispatched(let execution), .running(let execution): execution
        case .waiting, .limited, .ready, .checking, .recording, .over: nil
        }
    }

    var settling: Settling? { if case .recording(let settling) = phase { settling } else { nil } }
}
