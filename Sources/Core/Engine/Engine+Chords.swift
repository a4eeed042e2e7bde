// The driver's dealings with a store that joins chords.
import Canvas
import Ports
import TaskhostJSON

extension Engine {
    /// The part of `perform` that concerns chords.
    func performChord(_ action: EngineAction) {
        switch action {
        case .announce(let chord, let receipt):
            let group = chord.savedGroup(always: chords?.savesEveryGroup ?? false)?.bytes
            chords?.announceChord(chord.groupID, size: chord.size, savedGroup: group) { [unowned self] in
                handle(.chordKept(receipt, $0))
            }
        case .addToChord(let group, let receipt):
            chords?.addToChord(group) { [unowned self] in handle(.chordKept(receipt, $0)) }
        case .returnPart(let part, let receipt):
            chords?.returnPart(part) { [unowned self] in handle(.partReturned(receipt, $0)) }
        case .keepClaim(let claim, let receipt):
            chords?.keepClaim(claim) { [unowned self] in handle(.claimKept(receipt, $0)) }
        case .finishChord(let claim, let receipt):
            chords?.finishChord(claim) { [unowned self] in handle(.chordKept(receipt, $0)) }
        case .failChord(let claim, let receipt):
            chords?.failChord(claim) { [unowned self] in handle(.chordKept(receipt, $0)) }
        default: break
        }
    }
}
