// States on the way (STARTED, PROGRESS …): stored one at a time per task, the newest wins.
import CeleryWire
import Ports
import TaskModel

extension EngineCore {
    mutating func stateChanged(_ run: RunID, _ state: String, _ meta: [UInt8], _ actions: inout [EngineAction]) {
        guard let item = runs[run], !item.ignoresResult else { return }
        let document = ResultMeta.custom(of: item.message, state: state, meta: meta, extended: extended(item))
        storeState(item, TaskState(rawValue: state), document, &actions)
    }

    func storeState(_ item: Held, _ state: TaskState, _ meta: [UInt8], _ actions: inout [EngineAction]) {
        guard hasStore else { return }
        let record = record(item, state, meta)
        if item.storesState {
            // A task that reports faster than the store takes it skips states, not the store's time.
            item.nextState = record
        } else {
            item.storesState = true
            actions.append(.store(record, Receipt(held: item.id, purpose: .state)))
        }
    }

    /// A state that could not be stored is only said so: the next one, or the final one, replaces it.
    mutating func stateStored(_ item: Held, _ failure: StoreFailure?, _ actions: inout [EngineAction]) {
        item.storesState = false
        if let failure {
            actions.append(
                .log(.recordingFailed(id: item.message.id, what: "store a state: \(failure)", retryInSeconds: 0)))
        }
        if let next = item.nextState {
            item.nextState = nil
            item.storesState = true
            actions.append(.store(next, Receipt(held: item.id, purpose: .state)))
        } else {
            tryStepAgain(item.id, &actions)
        }
    }
}
