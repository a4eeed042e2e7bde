// Judge: outcome to verdict, verdict to the steps that must be confirmed before the message is settled.
import Canvas
import CeleryWire
import Ports
import TaskModel

extension EngineCore {
    mutating func judge(
        _ verdict: Verdict, on report: RunReport, of item: InFlight, _ actions: inout [EngineAction]
    ) {
        noteVerdict(verdict, on: report, of: item, &actions)
        emit(verdict, on: report, of: item, &actions)
        carryOut(verdict, on: report, of: item, &actions)
    }

    private mutating func carryOut(
        _ verdict: Verdict, on report: RunReport, of item: InFlight, _ actions: inout [EngineAction]
    ) {
        let message = item.message
        switch verdict {
        case .succeed(let result):
            guard item.message.hasContinuations else {
                emitWhenSettled(.succeeded(result: result), of: item)
                return record(item, plainSuccessSteps(item, result) + [.acknowledge], &actions)
            }
            follow(
                .success(result, children: item.children), .succeeded(result: result), report, of: item, &actions)

        case .replace(let signature) where signature == Array("null".utf8):
            // It has published what takes its place, and has handed on what was to follow it.
            emitWhenSettled(.replaced, of: item)
            record(item, [.acknowledge], &actions)

        case .replace(let signature):
            follow(.replacement(signature), .replaced, report, of: item, &actions)

        case .fail(let failure, let settlement):
            fail(item, failure, settlement, report, &actions)

        case .retry where known.isOvertaken(message):
            record(item, [.acknowledge], &actions)

        case .retry(let seconds, let cause):
            var request: RetryRequest?
            if case .retry(let asked) = report.outcome { request = asked }
            let meta = ResultMeta.retry(of: message, cause: cause, extended: extended(item))
            let publication = nextAttempt(item, request, afterSeconds: seconds, &actions)
            // RETRY first (Celery stores it after publishing): a store that is slow must not write it over the
            // result of the attempt that has overtaken us meanwhile.
            record(item, storeStep(item, .retry, meta) + [.publish(publication), .acknowledge], &actions)

        case .restart(let starts):
            record(item, restartSteps(item, starts: starts), &actions)

        case .redispatch(let reason):
            redispatchLater(item, reason, &actions)

        case .ignore(let left):
            record(item, leftSteps(item, left) + ignoredSteps(item) + [.acknowledge], &actions)

        case .reject(_, requeue: true):
            // Again and again, it would keep broker and host busy with nothing else.
            let pause = known.requeuePause(for: message.id)
            if pause > 0 { beginDelay(item, &actions) }
            if known.isWorthSaying(requeuesOf: message.id, of: message.name) {
                actions.append(.log(.requeuesAgain(name: message.displayName, id: message.id)))
            }
            record(item, (pause > 0 ? [.pause(pause)] : []) + [.reject(requeue: true)], done: false, &actions)

        case .reject(let reason, requeue: false):
            let dead = Republication.deadLetter(
                item.delivery, message, reason: reason, kind: .rejected, report: report, starts: item.starts,
                at: now.wall)
            record(
                item,
                failureSteps(item, CeleryFailure.reject(reason: reason, requeue: false)) + deadLetterSteps(item, dead),
                done: false, &actions)

        case .revoke:
            record(item, revokedSteps(item, reason: "terminated") + [.acknowledge], &actions)

        case .requeue:
            requeue(item, &actions)
        }
    }

    private func nextAttempt(
        _ item: InFlight, _ request: RetryRequest?, afterSeconds seconds: Double, _ actions: inout [EngineAction]
    ) -> Publication {
        if let next = request?.next {
            do throws(CanvasError) {
                return try publication(of: try PreparedMessage(next, now: now.wall), for: item)
            } catch {
                // Tried again as it was, then.
                let reason = "its next attempt, as the task has made it: \(error)"
                actions.append(.log(.notFollowed(id: item.message.id, reason: reason)))
            }
        }
        var copy = asItCame(
            Republication.retry(
                item.delivery, item.message, eta: now.wall.advanced(bySeconds: seconds),
                retries: item.message.retries + 1, now: now.wall, request: request), item.message)
        // The next attempt follows from this one; a restart after a crash does not.
        item.trace?.context.put(into: &copy.headers)
        return publication(of: copy, to: request?.queue ?? item.delivery.queue, dueInSeconds: seconds)
    }

    /// A retry called with other arguments is plain JSON until it is written as its client wrote.
    private func asItCame(_ copy: WireMessage, _ message: TaskMessage) -> WireMessage {
        do throws(WireError) {
            return try copy.encoded(as: message.contentType, message.compression, by: options.formats)
        } catch {
            // What the format has no way to say (an integer beyond 64 bits in msgpack) goes out as JSON.
            return copy
        }
    }

    private func restartSteps(_ item: InFlight, starts: Int, hasFailed: Bool = false) -> [Step] {
        let copy = Republication.restart(item.delivery, item.message, starts: starts)
        return [
            .publish(publication(of: copy, to: item.delivery.queue), .resend(hasFailed: hasFailed)), .acknowledge,
        ]
    }

    private mutating func fail(
        _ item: InFlight, _ failure: TaskFailure, _ settlement: Settlement, _ report: RunReport,
        _ actions: inout [EngineAction]
    ) {
        let steps = failureSteps(item, failure)
        switch settlement {
        case .acknowledge: record(item, steps + [.acknowledge], &actions)
        case .restart(let starts): record(item, steps + restartSteps(item, starts: starts, hasFailed: true), &actions)
        case .deadLetter(let reason, let kind):
            let dead = Republication.deadLetter(
                item.delivery, item.message, reason: reason, kind: kind, report: report, starts: item.starts,
                at: now.wall)
            record(item, steps + deadLetterSteps(item, dead), done: false, &actions)
        }
    }

    /// Requeued as it was. Acknowledged early, it has to be published again; else the broker still has it.
    mutating func requeue(_ item: InFlight, _ actions: inout [EngineAction]) {
        if item.wasAcknowledgedEarly {
            let copy = Republication.restart(item.delivery, item.message, starts: item.message.priorStarts)
            record(item, [.publish(publication(of: copy, to: item.delivery.queue))], done: false, &actions)
        } else {
            record(item, [.reject(requeue: true)], done: false, &actions)
        }
    }

    /// Dispatched again, uncharged, since this host or another task was at fault; after a pause that grows.
    private mutating func redispatchLater(_ item: InFlight, _ reason: String, _ actions: inout [EngineAction]) {
        if life.stopping != nil || intake.paused.contains(item.delivery.queue) { return requeue(item, &actions) }
        if item.tag == nil, !item.wasAcknowledgedEarly {
            return leaveToRedelivery(item, &actions)
        }
        item.faults += 1
        item.phase = .waiting(for: .redispatch)
        let pause = item.faults == 1 ? 0 : Backoff(initial: 0.1, max: 10).step(item.faults)
        actions.append(.arm(.redispatch(item.id), afterSeconds: pause))
        if item.faults > 1 {
            actions.append(
                .log(.runnerFault(name: item.message.displayName, id: item.message.id, reason: reason)))
        }
    }

    private func noteVerdict(
        _ verdict: Verdict, on report: RunReport, of item: InFlight, _ actions: inout [EngineAction]
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
            actions.append(.log(.deadLettered(name: name, id: id, queue: item.delivery.queue, reason: reason)))
        }
        guard notesTasks else { return }
        switch verdict {
        case .succeed(let result):
            let seconds = Double(report.usage.wallMicroseconds) / 1e6
            actions.append(.log(.succeeded(name: name, id: id, seconds: seconds, result: result)))
        case .fail(let failure, let settlement):
            actions.append(.log(.failed(name: name, id: id, failure: failure)))
            if case .restart = settlement {
                actions.append(.log(.rejected(name: name, id: id, reason: Settlement.whyRestarted, requeue: true)))
            }
        case .retry(let seconds, let cause):
            actions.append(.log(.retrying(name: name, id: id, afterSeconds: seconds, cause: cause?.type)))
        case .ignore, .replace:
            actions.append(.log(.ignored(name: name, id: id)))
        case .reject(let reason, let requeue):
            actions.append(.log(.rejected(name: name, id: id, reason: reason, requeue: requeue)))
        case .revoke:
            actions.append(.log(.discarded(name: name, id: id, reason: "terminated")))
        case .requeue:
            actions.append(.log(.interrupted(name: name, id: id)))
        case .restart, .redispatch:
            break
        }
    }
}
