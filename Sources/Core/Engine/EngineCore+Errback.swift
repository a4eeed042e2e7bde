// Errbacks that take the failure itself: called where the task failed, without a message and without a result
// (celery-protocol.md §3.12). The failed task is settled once they have ended, whatever came of them.
import Canvas
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

/// An errback to be called: its arguments are complete.
struct Errback {
    let id: String
    let task: String
    /// JSON `[args, kwargs, embed]`.
    let body: [UInt8]
}

/// One that is being called.
struct ErrbackCall {
    let errback: Errback
    /// The task whose settlement waits for it.
    let item: InFlight
    let policy: TaskPolicy
}

extension EngineCore {
    /// A step of the failed task's settlement. It takes a slot of the runner's when one is free; our own count of
    /// slots knows nothing of it, so the task that failed needs not wait for what came after it.
    mutating func call(_ errback: Errback, for item: InFlight, _ actions: inout [EngineAction]) {
        guard let manifest = catalog.task(errback.task) else {
            actions.append(.log(.errbackFailed(name: errback.task, id: item.message.id, reason: "no bundle has it")))
            return stepDone(item, &actions)
        }
        let policy = policy(for: errback.task, manifest: manifest)
        let run = inFlight.beginErrback(ErrbackCall(errback: errback, item: item, policy: policy))
        item.settling?.errback = run
        let failed = item.message
        actions.append(
            .start(
                StartRequest(
                    run: run, taskName: errback.task, id: errback.id, rootID: failed.rootID ?? failed.id,
                    parentID: failed.id, groupID: nil, queue: item.delivery.queue, retries: 0, starts: 1,
                    maxRetries: policy.maxRetries, softLimit: policy.softLimit, hardLimit: policy.hardLimit, eta: nil,
                    redelivered: false, headersJSON: Array("{}".utf8), body: errback.body, keep: policy.keep,
                    memoryLimit: policy.memoryLimit, trace: item.trace?.context)))
        // A cold stop that came before this step has ended everything else already.
        if life.stopping == .cold { actions.append(.kill(run, .stop)) }
    }

    func errbackBegan(_ run: RunID, _ actions: inout [EngineAction]) {
        guard let policy = inFlight.errback(run)?.policy else { return }
        if let seconds = policy.softLimit { actions.append(.arm(.softLimit(run), afterSeconds: seconds)) }
        if let seconds = policy.hardLimit { actions.append(.arm(.hardLimit(run), afterSeconds: seconds)) }
    }

    mutating func errbackFinished(_ run: RunID, _ report: RunReport, _ actions: inout [EngineAction]) {
        guard let call = inFlight.endErrback(run) else { return }
        let item = call.item
        item.settling?.errback = nil
        if call.policy.softLimit != nil { actions.append(.disarm(.softLimit(run))) }
        if call.policy.hardLimit != nil { actions.append(.disarm(.hardLimit(run))) }
        guard inFlight[item.id] === item else { return }
        let problem: String?
        switch report.outcome {
        case .success, .ignore: problem = nil
        case .failure(let failure): problem = "it raised \(failure.repr)"
        case .died(let death): problem = "it died: \(death.summary)"
        case .hardLimit(let seconds): problem = "killed at its hard limit of \(seconds.brief) s"
        case .memoryLimit(let excess): problem = excess.sentence
        case .retry, .reject, .replace: problem = "it asked for a retry, rejection or replacement, but has no message"
        case .terminated: return requeueFailed(item, &actions)
        case .notStarted where life.stopping != nil, .runnerFault where life.stopping != nil,
            .suspect where life.stopping != nil:
            return requeueFailed(item, &actions)
        case .notStarted:
            return stepFailed(item, what: "call its errback \(call.errback.task): its child ended", &actions)
        case .runnerFault(let reason), .suspect(_, let reason):
            return stepFailed(item, what: "call its errback \(call.errback.task): \(reason)", &actions)
        }
        if let problem {
            actions.append(.log(.errbackFailed(name: call.errback.task, id: item.message.id, reason: problem)))
        }
        item.settling?.replaceFirst()
        // What the errback has sent is confirmed first.
        tryStepAgain(item.id, &actions)
    }

    /// Its errbacks have not been called, so the whole attempt is to be repeated.
    private mutating func requeueFailed(_ item: InFlight, _ actions: inout [EngineAction]) {
        item.pendingEvents = []
        emitWhenSettled(.requeuedAtStop, of: item)
        requeue(item, &actions)
    }
}

/// The failed task as its errback gets it.
struct FailedRequest {
    let id: String
    let rootID: String
    let json: JSON

    init(_ item: InFlight, nodeName: String) {
        let message = item.message
        id = message.id
        rootID = message.rootID ?? message.id
        let request: JSONMap = [
            "id": .string(message.id), "task": .string(message.name),
            "args": JSON(trusting: Array(message.body[message.argsRange])),
            "kwargs": JSON(trusting: Array(message.body[message.kwargsRange])),
            "root_id": message.rootID.map(JSON.string) ?? nil, "parent_id": message.parentID.map(JSON.string) ?? nil,
            "group": message.groupID.map(JSON.string) ?? nil, "retries": .int(Int64(message.retries)),
            "hostname": .string(nodeName),
        ]
        json = request.json
    }

    /// A chord's body, or a member of it, that will never be called: it goes by its own id, not by that of the member
    /// that failed.
    init(id: String, uncalled signature: JSON, nodeName: String) {
        self.id = id
        rootID = id
        let request: JSONMap = [
            "id": .string(id), "task": signature["task"] ?? nil, "args": signature["args"] ?? [],
            "kwargs": signature["kwargs"] ?? .object([]), "root_id": nil, "parent_id": nil, "group": nil,
            "retries": 0, "hostname": .string(nodeName),
        ]
        json = request.json
    }
}
