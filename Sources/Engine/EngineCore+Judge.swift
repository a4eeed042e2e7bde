// Judge: outcome to verdict, verdict to the steps that must be confirmed before the message is settled.
import Canvas
import CeleryWire
import Ports
import TaskModel

extension EngineCore {
    mutating func finished(_ run: RunID, _ report: RunReport, _ actions: inout [EngineAction]) {
        guard let item = runs.removeValue(forKey: run) else { return errbackFinished(run, report, &actions) }
        slotFreed()
        if item.softLimit != nil { actions.append(.disarm(.softLimit(run))) }
        if item.hardLimit != nil { actions.append(.disarm(.hardLimit(run))) }
        countForRate(&actions)
        guard let report = mapped(item, report, &actions) else { return }
        item.usage = report.usage
        judge(Verdict(on: report, of: item, using: &random), on: report, of: item, &actions)
    }

    mutating func judge(
        _ verdict: Verdict, on report: RunReport, of item: Held, _ actions: inout [EngineAction]
    ) {
        noteVerdict(verdict, on: report, of: item, &actions)
        tell(verdict, on: report, of: item, &actions)
        carryOut(verdict, on: report, of: item, &actions)
    }

    private mutating func carryOut(
        _ verdict: Verdict, on report: RunReport, of item: Held, _ actions: inout [EngineAction]
    ) {
        let message = item.message
        switch verdict {
        case .succeed(let result):
            follow(
                item, .succeeded(result: result),
                Result { () throws(CanvasError) in try successSteps(item, result) }, report, &actions)

        case .replace(let signature):
            follow(
                item, .replaced, Result { () throws(CanvasError) in try replacementSteps(item, signature) }, report,
                &actions)

        case .fail(let failure, let settlement):
            fail(item, failure, settlement, report, &actions)

        case .retry where known.isOvertaken(message):
            record(item, [.acknowledge], &actions)

        case .retry(let seconds, let cause):
            let eta = now.wall.advanced(bySeconds: seconds)
            var request: RetryRequest?
            if case .retry(let asked) = report.outcome { request = asked }
            var again = asItCame(
                Republication.retry(
                    item.delivery, message, eta: eta, retries: message.retries + 1, now: now.wall, request: request),
                message)
            // The next attempt follows from this one; a restart after a crash does not.
            item.trace?.context.put(into: &again.headers)
            let meta = ResultMeta.retry(of: message, cause: cause, extended: extended(item))
            let publication = publication(of: again, to: item.delivery.queue, dueInSeconds: seconds)
            // RETRY first (Celery stores it after publishing): a store that is slow must not write it over the
            // result of the attempt that has overtaken us meanwhile.
            record(item, storeStep(item, .retry, meta) + [.publish(publication), .acknowledge], &actions)

        case .restart(let starts):
            record(item, restartSteps(item, starts: starts), &actions)

        case .again(let reason):
            again(item, reason, &actions)

        case .ignore:
            record(item, [.acknowledge], &actions)

        case .reject(_, requeue: true):
            record(item, [.reject(requeue: true)], done: false, &actions)

        case .reject(let reason, requeue: false):
            let dead = Republication.deadLetter(
                item.delivery, message, reason: reason, verdict: "rejected", report: report, starts: item.starts,
                at: now.wall)
            record(
                item, failureSteps(item, CeleryFailure.reject(reason: reason, requeue: false)) + bury(item, dead),
                done: false, &actions)

        case .revoke:
            record(item, revokedSteps(item, reason: "terminated") + [.acknowledge], &actions)

        case .giveBack:
            giveBack(item, &actions)
        }
    }

    /// A retry called with other arguments is plain JSON until it is written as its client wrote.
    private func asItCame(_ again: WireMessage, _ message: TaskMessage) -> WireMessage {
        do throws(WireError) {
            return try again.encoded(as: message.contentType, message.compression, by: options.formats)
        } catch {
            // What the format has no way to say (an integer beyond 64 bits in msgpack) goes out as JSON.
            return again
        }
    }

    private func restartSteps(_ item: Held, starts: Int) -> [Step] {
        let again = Republication.restart(item.delivery, item.message, starts: starts)
        return [.publish(publication(of: again, to: item.delivery.queue)), .acknowledge]
    }

    private mutating func fail(
        _ item: Held, _ failure: TaskFailure, _ settlement: Settlement, _ report: RunReport,
        _ actions: inout [EngineAction]
    ) {
        let steps = failureSteps(item, failure)
        switch settlement {
        case .acknowledge: record(item, steps + [.acknowledge], &actions)
        case .again(let starts): record(item, steps + restartSteps(item, starts: starts), &actions)
        case .deadLetter(let reason, let verdict):
            let dead = Republication.deadLetter(
                item.delivery, item.message, reason: reason, verdict: verdict, report: report, starts: item.starts,
                at: now.wall)
            record(item, steps + bury(item, dead), done: false, &actions)
        }
    }

    /// If what follows cannot be called, the task has failed.
    private mutating func follow(
        _ item: Held, _ occurrence: TaskOccurrence, _ made: Result<[Step], CanvasError>, _ report: RunReport,
        _ actions: inout [EngineAction]
    ) {
        switch made {
        case .success(let steps):
            tellWhenSettled(occurrence, of: item)
            record(item, steps + [.acknowledge], &actions)
        case .failure(let error):
            judge(.fail(TaskFailure(error), Settlement(ofFailed: item)), on: report, of: item, &actions)
        }
    }

    /// Back to the queue as it was. Acknowledged early, it has to be sent anew; else the broker still has it.
    mutating func giveBack(_ item: Held, _ actions: inout [EngineAction]) {
        if item.wasAcknowledgedEarly {
            let again = Republication.restart(item.delivery, item.message, starts: item.message.priorStarts)
            record(item, [.publish(publication(of: again, to: item.delivery.queue))], done: false, &actions)
        } else {
            record(item, [.reject(requeue: true)], done: false, &actions)
        }
    }

    /// Our fault or a neighbour's, so uncharged; but never in a hot loop.
    private mutating func again(_ item: Held, _ reason: String, _ actions: inout [EngineAction]) {
        if stopping != nil || paused.contains(item.delivery.queue) { return giveBack(item, &actions) }
        if item.tag == nil, !item.wasAcknowledgedEarly {
            // Its link is gone: the redelivery is the one that will run.
            endLimit(item, &actions)
            release(item)
            return
        }
        item.faults += 1
        item.phase = .waiting
        item.isPausing = true
        let pause = item.faults == 1 ? 0 : min(10, 0.1 * Double(1 << min(item.faults, 10)))
        actions.append(.arm(.again(item.id), afterSeconds: pause))
        if item.faults > 1 {
            actions.append(
                .log(.runnerFault(name: item.message.displayName, id: item.message.id, reason: reason)))
        }
    }

    private func noteVerdict(
        _ verdict: Verdict, on report: RunReport, of item: Held, _ actions: inout [EngineAction]
    ) {
        let name = item.message.displayName
        let id = item.message.id
        if case .died(let death) = report.outcome {
            actions.append(
                .log(
                    .crashed(
                        name: name, id: id, death: death, starts: item.starts, of: item.policy.maxStarts,
                        output: report.output)))
        }
        if case .hardLimit(let seconds) = report.outcome {
            actions.append(.log(.hardLimit(name: name, id: id, seconds: seconds, swept: report.swept)))
        }
        if case .memoryLimit(let excess) = report.outcome {
            actions.append(.log(.memoryLimit(name: name, id: id, excess: excess, swept: report.swept)))
        }
        if case .fail(_, .deadLetter(let reason, _)) = verdict {
            actions.append(.log(.deadLettered(id: id, queue: item.delivery.queue, reason: reason)))
        }
        guard notesTasks else { return }
        switch verdict {
        case .succeed(let result):
            let seconds = Double(report.usage.wallMicroseconds) / 1e6
            actions.append(.log(.succeeded(name: name, id: id, seconds: seconds, result: result)))
        case .fail(let failure, let settlement):
            actions.append(.log(.failed(name: name, id: id, failure: failure)))
            if case .again = settlement {
                let reason = "acks_on_timeout is false"
                actions.append(.log(.rejected(name: name, id: id, reason: reason, requeue: true)))
            }
        case .retry(let seconds, let cause):
            actions.append(.log(.retrying(name: name, id: id, afterSeconds: seconds, cause: cause?.type)))
        case .ignore, .replace:
            actions.append(.log(.ignored(name: name, id: id)))
        case .reject(let reason, let requeue):
            actions.append(.log(.rejected(name: name, id: id, reason: reason, requeue: requeue)))
        case .revoke:
            actions.append(.log(.discarded(name: name, id: id, reason: "terminated")))
        case .giveBack:
            actions.append(.log(.interrupted(name: name, id: id)))
        case .restart, .again:
            break
        }
    }
}
