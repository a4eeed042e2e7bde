// Intermediate states (STARTED, PROGRESS …): stored one at a time per task, the newest wins.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

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

    /// The state that a task which ends by `Ignore` has left itself in.
    func leftSteps(_ item: InFlight, _ left: LeftState?) -> [Step] {
        guard let left else { return [] }
        let state = TaskState(rawValue: left.name)
        let meta = ResultMeta.custom(
            of: item.message, state: left.name, meta: left.meta, at: state.isOutcome ? now.wall : nil,
            children: JSON.array(item.children).bytes, extended: extended(item))
        return storeStep(item, state, meta)
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
