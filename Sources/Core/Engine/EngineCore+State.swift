// Intermediate states (STARTED, PROGRESS …): stored one at a time per task, the newest wins.
import CeleryWire
import Ports
import TaskModel

extension EngineCore {
    mutating func stateChanged(_ run: RunID, _ state: String, _ meta: [UInt8], _ actions: inout [EngineAction]) {
        guard let item = inFlight[run: run], !item.ignoresResult else { return }
        guard !TaskState(rawValue: state).isOutcome else {
            return actions.append(
                .log(.stateRefused(name: item.message.displayName, id: item.message.id, state: state)))
        }
        let document = ResultMeta.custom(of: item.message, state: state, meta: meta, extended: extended(item))
        storeState(item, TaskState(rawValue: state), document, &actions)
    }

    func storeState(_ item: InFlight, _ state: TaskState, _ meta: [UInt8], _ actions: inout [EngineAction]) {
        guard hasStore else { return }
        let record = record(item, state, meta)
        if let record = item.states.add(record) {
            actions.append(.store(record, Receipt(task: item.id, purpose: .state)))
        }
    }

    /// A state that could not be stored is only said so: the next one, or the final one, replaces it.
    mutating func stateStored(_ item: InFlight, _ failure: StoreFailure?, _ actions: inout [EngineAction]) {
        if let failure {
            actions.append(
                .log(.recordingFailed(id: item.message.id, what: "store a state: \(failure)", retryInSeconds: 0)))
        }
        if let next = item.states.stored() {
            actions.append(.store(next, Receipt(task: item.id, purpose: .state)))
        } else {
            tryStepAgain(item.id, &actions)
        }
    }
}
