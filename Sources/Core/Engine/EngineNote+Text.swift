// The operator's lines: their words (Celery's where it has some), levels and fields.
import CeleryWire
import Logging
import TaskModel

extension EngineNote {
    var level: Logger.Level {
        switch self {
        case .received, .started, .succeeded, .retrying, .ignored, .discarded, .postponed, .requeued, .alreadyDone,
            .adopted, .resized, .queuePaused, .queueResumed, .backlogDrained:
            .info
        case .stateRefused, .outOfRoom, .rejected, .softLimit, .runnerFault, .interrupted,
            .claimLost, .resent, .requeuesAgain:
            .warning
        case .failed, .crashed, .hardLimit, .memoryLimit, .refused, .recordingFailed, .deadLettered, .abandoned,
            .chordFailed, .notFollowed, .errbackFailed, .unsendable, .backlogFull:
            .error
        }
    }

    var text: String {
        switch self {
        case .received(let name, let id): "Task \(name)[\(id)] received"
        case .started(let name, let id, let pid): "Task \(name)[\(id)] started in process \(pid)"
        case .succeeded(let name, let id, let seconds, let result):
            "Task \(name)[\(id)] succeeded in \(seconds.brief)s: \(Self.excerpt(result))"
        case .failed(let name, let id, let failure):
            "Task \(name)[\(id)] raised \(failure.type): \(Self.excerpt(Array(failure.message.utf8)))"
                + (failure.traceback.map { "\n\($0)" } ?? "")
        case .retrying(let name, let id, let seconds, let cause):
            "Task \(name)[\(id)] retry: Retry in \(seconds.brief)s" + (cause.map { ": \($0)" } ?? "")
        case .ignored(let name, let id): "Task \(name)[\(id)] ignored"
        case .stateRefused(let name, let id, let state):
            "Task \(name)[\(id)]: its state \(state) is dropped, since that is how tasks end; give it a name of its own"
        case .outOfRoom(let queue, let most):
            "Messages of \(most >> 20) MiB are in flight and the next one, from \(queue), found no room "
                + "(limits.max_held_bytes); nothing is taken until half of it is free"
        case .rejected(let name, let id, let reason, let requeue):
            "Task \(name)[\(id)] rejected (\(reason)); \(requeue ? "requeued" : "dead-lettered")"
        case .discarded(let name, let id, let reason): "Discarding revoked task: \(name)[\(id)] (\(reason))"
        case .crashed(let name, let id, let death, let starts, let most, _):
            "Task \(name)[\(id)] died on start \(starts) of \(most): \(death.summary)"
                + death.stack.map { "\n  \($0)" }.joined()
        case .hardLimit(let name, let id, let seconds, let swept):
            "Task \(name)[\(id)] killed at its hard limit of \(seconds.brief) s"
                + (swept > 0 ? " with \(swept) processes it had started" : "")
        case .memoryLimit(let name, let id, let excess, let swept):
            "Task \(name)[\(id)] \(excess.sentence)" + (swept > 0 ? "; with \(swept) processes it had started" : "")
        case .softLimit(let name, let id, let seconds):
            "Task \(name)[\(id)] reached its soft limit of \(seconds.brief) s"
        case .refused(let line): line
        case .postponed(let name, let id, let seconds):
            "Task \(name)[\(id)] is due in \(seconds.brief) s; the broker keeps it until then"
        case .resent(let name, let id, let returns):
            "Task \(name)[\(id)] was requeued \(returns) times without an end; published again before the broker "
                + "drops it"
        case .requeued(let count): "Requeued \(count) messages"
        case .requeuesAgain(let name, let id):
            "Task \(name)[\(id)] puts itself back into its queue again and again; it waits longer each time, up to 10 s, "
                + "and so do others of this task that do so (said once). fix: let it retry with a countdown, which is "
                + "counted and visible, or reject without requeue, which makes it a dead letter"
        case .interrupted(let name, let id): "Task \(name)[\(id)] was killed by the stop; requeued"
        case .runnerFault(let name, let id, let reason):
            "Task \(name)[\(id)] could not be run: \(reason); it is dispatched again"
        case .recordingFailed(let id, let what, let seconds):
            "Task [\(id)]: could not \(what)" + (seconds > 0 ? "; again in \(seconds.brief) s" : "")
        case .deadLettered(let name, let id, let queue, let reason):
            "Task \(name)[\(id)] dead-lettered from queue \(queue): \(reason)"
        case .alreadyDone(let name, let id): "Task \(name)[\(id)] was redelivered but is done; acknowledged"
        case .adopted(let name, let id):
            "Task \(name)[\(id)] was redelivered while it is in flight here; not started twice"
        case .claimLost(let name, let id):
            "Task \(name)[\(id)] ended here after another worker had received it; its outcome here is dropped"
        case .chordFailed(let group, let body, let reason): "Chord \(group): its body \(body) fails: \(reason)"
        case .notFollowed(let id, let reason): "Task [\(id)]: what should follow it cannot be called: \(reason)"
        case .resized(let from, let to): "Scaling \(to > from ? "up" : "down"): \(to) slots, were \(from)"
        case .queuePaused(let name, let count):
            "Queue \(name) is paused" + (count > 0 ? "; requeued \(count) messages" : "")
        case .queueResumed(let name): "Queue \(name) is resumed"
        case .errbackFailed(let name, let id, let reason): "Errback \(name) of task [\(id)]: \(reason)"
        case .unsendable(let name, let id, let reason): "Task \(name)[\(id)] cannot be sent: \(reason)"
        case .backlogFull(let count, let failure):
            "\(count) tasks wait for their outcome (results, retries, delays) to be recorded; nothing more is taken until it "
                + "is. Last reason: \(failure)"
        case .backlogDrained(let count): "\(count) tasks wait to be recorded; more are taken again"
        case .abandoned(let count): "\(count) messages could not be settled in time; the broker will deliver them again"
        }
    }

    var metadata: Logger.Metadata? {
        switch self {
        case .received(let name, let id), .started(let name, let id, _), .succeeded(let name, let id, _, _),
            .stateRefused(let name, let id, _),
            .failed(let name, let id, _), .retrying(let name, let id, _, _), .ignored(let name, let id),
            .rejected(let name, let id, _, _), .discarded(let name, let id, _),
            .crashed(let name, let id, _, _, _, _), .hardLimit(let name, let id, _, _),
            .memoryLimit(let name, let id, _, _),
            .softLimit(let name, let id, _), .postponed(let name, let id, _), .runnerFault(let name, let id, _),
            .alreadyDone(let name, let id), .adopted(let name, let id), .claimLost(let name, let id),
            .interrupted(let name, let id), .errbackFailed(let name, let id, _), .unsendable(let name, let id, _),
            .deadLettered(let name, let id, _, _), .resent(let name, let id, _), .requeuesAgain(let name, let id):
            ["task": "\(name)", "task_id": "\(id)"]
        case .recordingFailed(let id, _, _), .notFollowed(let id, _): ["task_id": "\(id)"]
        case .chordFailed(_, let body, _): ["task_id": "\(body)"]
        case .outOfRoom, .refused, .requeued, .abandoned, .resized, .queuePaused, .queueResumed, .backlogFull,
            .backlogDrained:
            nil
        }
    }

    /// Results can be large; they do not belong into a log line.
    private static func excerpt(_ bytes: [UInt8]) -> String {
        bytes.count <= 200
            ? String(decoding: bytes, as: UTF8.self) : String(decoding: bytes.prefix(200), as: UTF8.self) + "…"
    }
}

extension Double {
    /// Three decimals at most.
    var brief: String {
        let thousandths = (self * 1000).rounded()
        guard thousandths.magnitude < 1e15 else { return "\(self)" }
        let whole = Int(thousandths)
        if whole % 1000 == 0 { return "\(whole / 1000)" }
        var digits = "\(whole.magnitude % 1000)"
        while digits.count < 3 { digits = "0" + digits }
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(whole < 0 ? "-" : "")\(whole.magnitude / 1000).\(digits)"
    }
}

extension Death {
    var summary: String {
        switch cause {
        case .signal(let number):
            "signal \(number)" + (address.map { " at address 0x" + String($0, radix: 16) } ?? "")
                + (coreDumped ? " (core dumped)" : "")
        case .exit(let code): "exit code \(code) without a result"
        case .protocolViolation(let what): "it broke the runner's protocol (\(what))"
        case .zygoteLost(_, let reason): "it ran alone when \(reason)"
        }
    }
}
