// Suspects among the messages: which are, and which may start.
import CeleryWire
import TaskModel

extension EngineCore {
    /// False: it waits until the suspect that runs is over; those behind it need not.
    mutating func maySuspectStart(_ item: InFlight, _ actions: inout [EngineAction]) -> Bool {
        guard let scope = suspects.scope(of: item.message.id) else { return true }
        if suspects.mayStart(item.id, scope) { return true }
        item.phase = .limited
        countWaiting(item, &actions)
        return false
    }

    /// What a start's outcome says about the suspicion.
    mutating func judgeSuspect(_ item: InFlight, _ outcome: Outcome) {
        let id = item.message.id
        switch outcome {
        case .suspect(let bundle, _): suspects.accuse(id, of: .bundle(bundle))
        case .died(let death):
            if case .zygoteLost(let bundle, _) = death.cause {
                suspects.accuse(id, of: .bundle(bundle))
            } else {
                suspects.clear(id)
            }
        case .notStarted, .runnerFault: break
        case .success, .failure, .retry, .ignore, .reject, .replace, .hardLimit, .memoryLimit, .terminated:
            suspects.clear(id)
        }
        // One that may have killed its host stays the one that runs until it is settled: else it would be charged with
        // the next one's deed.
        if item.lostStarts == 0 { startNextSuspect(of: item) }
    }

    /// Its start is over, or will not be: the next suspect may start.
    mutating func startNextSuspect(of item: InFlight) {
        for next in suspects.ended(item.id) {
            guard let waiting = inFlight[next], case .limited = waiting.phase else { continue }
            limits.stopCounting(waiting.id)
            makeReady(waiting)
        }
    }
}
