// What we do about an outcome. Pure: the same facts give the same verdict.
import CeleryWire
import TaskModel

enum Verdict: Equatable {
    case succeed([UInt8])
    /// Final. With a reason, the message goes to the dead letters too.
    case fail(TaskFailure, deadLetter: String?)
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

extension Verdict {
    /// - Parameters:
    ///   - random: for the jitter of retries.
    init(on report: RunReport, of held: Held, using random: inout some RandomNumberGenerator) {
        let policy = held.policy
        let message = held.message
        switch report.outcome {
        case .success(let result):
            if let problem = ResultMeta.problem(in: result) {
                self = .fail(problem, deadLetter: nil)
            } else {
                self = .succeed(result)
            }
        case .failure(let failure):
            let mayImprove = !(failure.type == "TypeError" && failure.module == "builtins")
            if policy.autoretry, mayImprove, policy.allowsRetry(after: message.retries, bound: nil) {
                self = .retry(
                    afterSeconds: policy.delay(retries: message.retries, using: &random), cause: failure)
            } else {
                self = .fail(failure, deadLetter: nil)
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
                    deadLetter: nil)
            }
        case .ignore:
            self = .ignore
        case .reject(let reason, let requeue):
            self = .reject(reason: reason, requeue: requeue)
        case .replace(let signature):
            self = .replace(signature)
        case .hardLimit(let seconds):
            self = .fail(CeleryFailure.timeLimitExceeded(seconds), deadLetter: nil)
        case .terminated:
            self = held.terminatedBy != nil ? .revoke : .giveBack
        case .died(let death):
            // Acknowledged early means at most once: it must not start again.
            if held.wasAcknowledgedEarly || held.starts >= policy.maxStarts {
                self = .fail(
                    CeleryFailure.workerLost(death, output: report.output),
                    deadLetter: "\(held.starts) of \(policy.maxStarts) starts ended in a crash")
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
