// What we do about an outcome. Pure: the same facts give the same verdict.
import CeleryWire
import TaskModel

enum Verdict: Equatable {
    case succeed([UInt8])
    /// The failure is recorded, and told to whoever waits for it.
    case fail(TaskFailure, Settlement)
    /// The task runs again later, one retry more.
    case retry(afterSeconds: Double, cause: TaskFailure?)
    /// It died without having had its say: again, one start more, no retry.
    case restart(starts: Int)
    /// It never ran: again, uncharged.
    case again(String)
    case ignore
    /// Another signature gives its result.
    case replace([UInt8])
    case reject(reason: String, requeue: Bool)
    /// Ended on request; it does not run again.
    case revoke
    /// Back to the queue, uncharged (shutdown).
    case giveBack
}

/// What becomes of the message of a task that failed.
enum Settlement: Equatable {
    case acknowledge
    /// - Parameter verdict: the word for programs.
    case deadLetter(reason: String, verdict: String)
    /// It is started again all the same, one start more.
    case again(starts: Int)
}

extension Verdict {
    /// - Parameters:
    ///   - random: for the jitter of retries.
    init(on report: RunReport, of held: Held, using random: inout some RandomNumberGenerator) {
        let policy = held.policy
        let message = held.message
        switch report.outcome {
        case .success(let result):
            if let problem = ResultMeta.problem(in: result) {
                self = .fail(problem, Settlement(ofFailed: held))
            } else {
                self = .succeed(result)
            }
        case .failure(let failure):
            let mayImprove = !(failure.type == "TypeError" && failure.module == "builtins")
            if policy.autoretry, mayImprove, policy.allowsRetry(after: message.retries, bound: nil) {
                self = .retry(
                    afterSeconds: policy.delay(retries: message.retries, using: &random), cause: failure)
            } else {
                self = .fail(failure, Settlement(ofFailed: held))
            }
        case .retry(let request):
            if policy.allowsRetry(after: message.retries, bound: request.maxRetries) {
                let delay = request.countdown ?? policy.delay(retries: message.retries, using: &random)
                self = .retry(afterSeconds: max(0, delay), cause: request.cause)
            } else {
                self = .fail(
                    request.cause
                        ?? CeleryFailure.maxRetriesExceeded(
                            name: message.name, id: message.id, argsRepr: message.argsRepr,
                            kwargsRepr: message.kwargsRepr),
                    Settlement(ofFailed: held))
            }
        case .ignore:
            self = .ignore
        case .reject(let reason, let requeue):
            self = .reject(reason: reason, requeue: requeue)
        case .replace(let signature):
            self = .replace(signature)
        case .hardLimit(let seconds):
            self = .fail(CeleryFailure.timeLimitExceeded(seconds), Settlement(ofTimedOut: held))
        case .memoryLimit(let excess):
            self = .fail(CeleryFailure.memoryLimitExceeded(excess), Settlement(ofFailed: held))
        case .terminated:
            self = held.terminatedBy != nil ? .revoke : .giveBack
        case .died(let death):
            // Acknowledged early means at most once: it must not start again.
            if held.wasAcknowledgedEarly || held.starts >= policy.maxStarts {
                self = .fail(
                    CeleryFailure.workerLost(death, output: report.output),
                    .deadLetter(
                        reason: "\(held.starts) of \(policy.maxStarts) starts ended in a crash", verdict: "poison"))
            } else {
                self = .restart(starts: held.starts)
            }
        case .notStarted:
            self = .again("its child ended before it began")
        case .runnerFault(let reason):
            self = .again(reason)
        }
    }
}

extension Settlement {
    /// A message that was acknowledged early has been settled already.
    init(ofFailed held: Held) {
        self =
            held.policy.acksOnFailure || held.wasAcknowledgedEarly
            ? .acknowledge : .deadLetter(reason: "the task failed, and acks_on_failure is false", verdict: "failed")
    }

    /// Celery gives such a message back to its queue as often as it takes; here the starts are counted.
    init(ofTimedOut held: Held) {
        if held.policy.acksOnTimeout || held.wasAcknowledgedEarly {
            self = .acknowledge
        } else if held.starts < held.policy.maxStarts {
            self = .again(starts: held.starts)
        } else {
            self = .deadLetter(
                reason: "start \(held.starts) of \(held.policy.maxStarts) ended at the hard limit, and acks_on_timeout "
                    + "is false", verdict: "timed-out")
        }
    }
}
