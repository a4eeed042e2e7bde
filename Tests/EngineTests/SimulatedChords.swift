// The part of the model world that joins chords, with claims that run out (celery-protocol.md §4.5).
import Canvas
import Ports
import TaskModel
import TaskhostJSON

@testable import Engine

struct SimulatedChord {
    var size: Int?
    var extra = 0
    var parts: [String: ChordPart] = [:]
    var claim: (token: String, until: UInt64)?
    var isDone = false
    var finished = 0
    var failed = 0
}

/// Names that no two hosts give twice.
final class Numbers {
    private let prefix: String
    private var last = 0

    init(_ prefix: String) { self.prefix = prefix }

    func next() -> String {
        last += 1
        return "\(prefix)-\(last)"
    }
}

extension SimulatedWorld {
    private static let claimNanoseconds: UInt64 = 6_000_000_000

    func performChord(_ action: EngineAction) {
        switch action {
        case .announce(let chord, let receipt):
            keep(receipt) { [unowned self] in
                let id = chord.groupID
                var known = chords[id] ?? SimulatedChord()
                known.size = chord.size
                known.isDone = false
                known.claim = nil
                chords[id] = known
            }
        case .addToChord(let group, let receipt):
            keep(receipt) { [unowned self] in chords[group, default: SimulatedChord()].extra += 1 }
        case .finishChord(let claim, let receipt):
            keep(receipt) { [unowned self] in
                chords[claim.groupID]?.finished += 1
                chords[claim.groupID]?.isDone = true
            }
        case .failChord(let claim, let receipt):
            keep(receipt) { [unowned self] in
                chords[claim.groupID]?.failed += 1
                chords[claim.groupID]?.isDone = true
            }
        case .returnPart(let part, let receipt):
            let asker = host
            answer(asker) { [unowned self] fails in
                if fails { return post(.partReturned(receipt, .failure(StoreFailure("simulated"))), to: asker) }
                report(part, receipt, asker)
            }
        case .keepClaim(let claim, let receipt):
            let asker = host
            answer(asker) { [unowned self] fails in
                if fails { return post(.claimKept(receipt, .failure(StoreFailure("simulated"))), to: asker) }
                let isOurs = chords[claim.groupID]?.claim?.token == claim.token
                if isOurs { chords[claim.groupID]?.claim?.until = now + 21_000_000_000 }
                post(.claimKept(receipt, .success(isOurs)), to: asker)
            }
        default: break
        }
    }

    private func answer(_ asker: Int, _ what: @escaping (_ fails: Bool) -> Void) {
        let fails = chance(faults.storeFailure)
        after(milliseconds: 0...20) { [unowned self] in
            if asker != host, chance(0.5) { return }
            what(fails)
        }
    }

    private func keep(_ receipt: Receipt, _ change: @escaping () -> Void) {
        let asker = host
        answer(asker) { [unowned self] fails in
            if !fails { change() }
            post(.chordKept(receipt, fails ? StoreFailure("simulated") : nil), to: asker)
        }
    }

    private func report(_ part: ChordPart, _ receipt: Receipt, _ asker: Int) {
        var chord = chords[part.groupID] ?? SimulatedChord()
        defer { chords[part.groupID] = chord }
        guard !chord.isDone else { return post(.partReturned(receipt, .success(.waiting)), to: asker) }
        if chord.parts[part.taskID] == nil { chord.parts[part.taskID] = part }
        guard let size = chord.size, chord.parts.count == size + chord.extra else {
            chords[part.groupID] = chord
            return post(.partReturned(receipt, .success(.waiting)), to: asker)
        }
        if let claim = chord.claim, claim.until > now {
            // As the adapters do: look again until the other one is done or its claim has run out.
            return after(milliseconds: 500...500) { [unowned self] in
                if asker == host { report(part, receipt, asker) }
            }
        }
        let claim = ChordClaim(groupID: part.groupID, token: "\(asker)-\(receipt.task.number)-\(now)")
        chord.claim = (claim.token, now + Self.claimNanoseconds)
        chords[part.groupID] = chord
        let ordered = chord.parts.values.sorted {
            ($0.groupIndex ?? .max, $0.taskID) < ($1.groupIndex ?? .max, $1.taskID)
        }
        let parts = ordered.map { part in
            JSON.array([1, .string(part.taskID), .string(part.state.rawValue), JSON(trusting: part.value)]).bytes
        }
        post(.partReturned(receipt, .success(.complete(claim, parts: parts))), to: asker)
        chord = chords[part.groupID] ?? chord
    }
}
