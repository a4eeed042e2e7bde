// What we do about an outcome. Pure: the same facts give the same verdict.
import CeleryWire
import TaskModel

enum Verdict: Equatable {
    case succeed([UInt8])
    /// The failure is recorded; errbacks, chain and chord of the task get it.
    case fail(TaskFailure, Settlement)
    /// The task runs again later, one retry more.
    case retry(afterSeconds: Double, cause: TaskFailure?)
    /// It died without a result: again, one start more, no retry.
    case restart(starts: Int)
    /// It never ran: again, uncharged.
    case redispatch(String)
    case ignore(LeftState?)
    /// Another signature gives its result.
    case replace([UInt8])
    case reject(reason: String, requeue: Bool)
    /// Ended on request; it does not run again.
    case revoke
    /// Requeued, uncharged (shutdown).
    case requeue
}

/// What becomes of the message of a task that failed.
enum Settlement: Equatable {
    case acknowledge
    case deadLetter(reason: String, kind: DeadLetterKind)
    /// It is started again all the same, one start more.
    case restart(starts: Int)
}

extension Verdict {
    /// - Parameters:
    ///   - random: for the jitter of retries.
    init(on report: RunReport, of task: InFlight, using random: inout some RandomNumberGenerator) {
        let policy = task.policy
        let message = task.message
        switch report.outcome {
        case .success(let result):
            if let problem = ResultMeta.problem(in: result) {
                self = .fail(problem, Settlement(ofFailed: task))
            } else {
                self = .succeed(result)
            }
        case .failure(let failure):
            if policy.retriesByItself(failure), policy.allowsRetry(after: message.retries, bound: nil) {
                self = .retry(
                    afterSeconds: policy.delay(retries: message.retries, using: &random), cause: failure)
            } else {
                self = .fail(failure, Settlement(ofFailed: task))
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
                    Settlement(ofFailed: task))
            }
        case .ignore(let left):
            self = .ignore(left)
        case .reject(let reason, let requeue):
            self = .reject(reason: reason, requeue: requeue)
        case .replace(let signature):
            self = .replace(signature)
        case .hardLimit(let seconds):
            self = .fail(CeleryFailure.timeLimitExceeded(seconds), Settlement(ofTimedOut: task))
        case .memoryLimit(let excess):
            self = .fail(CeleryFailure.memoryLimitExceeded(excess), Settlement(ofFailed: task))
        case .terminated:
            self = task.execution?.terminatedBy != nil ? .revoke : .requeue
        case .died(let death):
            // Acknowledged early means at most once: it must not start again.
            if task.wasAcknowledgedEarly || task.starts >= policy.maxStarts {
                self = .fail(
                    CeleryFailure.workerLost(death, output: report.output),
                    .deadLetter(
                        reason: "\(task.starts) of \(policy.maxStarts) starts ended in a crash", kind: .poison))
            } else {
                self = .restart(starts: task.starts)
            }
        case .suspect(let bundle, let reason):
            // It had begun, and acknowledged early means at most once.
            if task.wasAcknowledgedEarly {
                self = .fail(
                    CeleryFailure.workerLost(Death(cause: .zygoteLost(bundle: bundle, reason)), output: report.output),
                    .deadLetter(
                        reason: "its start ended with its zygote, and it was acknowledged early", kind: .poison))
            } else {
                self = .redispatch(reason)
            }
        case .notStarted:
            self = .redispatch("its child ended before it began")
        case .runnerFault(let reason):
            self = .redispatch(reason)
        }
    }
}

extension Settlement {
    /// A message that was acknowledged early has been settled already.
    init(ofFailed task: InFlight) {
        self =
            task.policy.acksOnFailure || task.wasAcknowledgedEarly
            ? .acknowledge : .deadLetter(reason: "the task failed, and acks_on_failure is false", kind: .failed)
    }

    /// Why a message goes `again`.
    static let whyRestarted = "acks_on_timeout is false"

    /// Celery gives such a message back to its queue as often as it takes; here the starts are counted.
    init(ofTimedOut task: InFlight) {
        if task.policy.acksOnTimeout || task.wasAcknowledgedEarly {
            self = .acknowledge
        } else if task.starts < task.policy.maxStarts {
            self = .restart(starts: task.starts)
        } else {
            self = .deadLetter(
                reason: "start \(task.starts) of \(task.policy.maxStarts) ended at the hard limit, and "
                    + Self.whyRestarted, kind: .timedOut)
        }
    }
}
