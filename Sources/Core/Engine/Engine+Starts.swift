// The driver's part of starts that are counted before they happen, and of claims that must still hold.
import CeleryWire
import Logging
import Ports
import TaskModel

extension Engine {
    /// Once, before anything is started: what is registered first for the end of a loop iteration is called first, and
    /// the runner writes then, too.
    func beginCountingStarts() {
        core.guardStarts(
            by: broker.countsLostStarts ? .broker : ledger != nil ? .store : .none, fencesClaims: broker.fencesClaims)
        guard core.startCounting == .broker else { return }
        loop.atTurnEnd { [weak self] in self?.recordFirstStarts() }
    }

    private var ledger: (any StartLedger)? {
        guard let store, store.keepsResults else { return nil }
        return store as? any StartLedger
    }

    /// To be called for each start; first ones are recorded together at the end of the loop iteration, and no start
    /// waits for it.
    func noteStart(_ run: RunID) {
        guard core.startCounting == .broker, let item = core.inFlight[run: run], !item.startIsRecorded,
            let tag = item.tag
        else {
            return
        }
        firstStarts.append(tag)
    }

    private func recordFirstStarts() {
        guard !firstStarts.isEmpty else { return }
        let tags = firstStarts
        firstStarts.removeAll(keepingCapacity: true)
        broker.recordStarts(tags) { [log] failure in
            if let failure { log.debug("\(tags.count) starts are not recorded: \(failure)") }
        }
    }

    func performStarts(_ action: EngineAction) {
        switch action {
        case .readStarts(let name, let id): readStarts(name, id)
        case .recordStart(let id): recordStart(id)
        case .forgetStarts(let name): ledger?.forgetStarts(name)
        case .takeBackStart(let name): ledger?.takeBackStart(name)
        default: preconditionFailure("not about starts: \(action)")
        }
    }

    /// Whether it counts or not, it has to run: a store that does not answer delays nothing for good.
    private func readStarts(_ name: String, _ id: InFlightID) {
        guard let ledger else { return handle(.startsRead(id, 0)) }
        ledger.lostStarts(name) { [unowned self] answer in
            switch answer {
            case .success(let count): handle(.startsRead(id, count))
            case .failure(let failure):
                log.warning("Earlier starts of \(name) are not known: \(failure)")
                handle(.startsRead(id, 0))
            }
        }
    }

    private func recordStart(_ id: InFlightID) {
        guard let item = core.inFlight[id] else { return }
        let done: (String?) -> Void = { [unowned self] failure in
            if let failure { log.warning("A start of \(item.message.id) is not recorded: \(failure)") }
            handle(.startRecorded(id))
        }
        switch core.startCounting {
        case .broker:
            guard let tag = item.tag else { return handle(.startRecorded(id)) }
            broker.recordStarts([tag]) { done($0?.description) }
        case .store:
            guard let ledger else { return handle(.startRecorded(id)) }
            ledger.recordStart(item.startName, keepSeconds: EngineCore.startsKeptSeconds) { done($0?.description) }
        case .none: handle(.startRecorded(id))
        }
    }

    /// Does what a settlement asks for if the message is still ours.
    func claimed(_ receipt: Receipt, _ perform: @escaping (DeliveryTag?) -> Void) {
        guard core.fencesClaims, receipt.purpose == .step, let tag = core.inFlight[receipt.task]?.tag else {
            return perform(nil)
        }
        broker.confirmClaim(tag) { [unowned self] isOurs in
            if isOurs { perform(tag) } else { handle(.claimLost(receipt.task)) }
        }
    }
}
