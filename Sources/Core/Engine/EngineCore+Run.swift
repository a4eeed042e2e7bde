// Run: permits to children, and the limits of what runs.
import CeleryWire
import Ports
import TaskModel

extension EngineCore {
    /// A slot is free; or the task's kept children can take one more without waiting for us.
    mutating func nextReady() -> InFlight? {
        let (busy, slots, catalog) = (inFlight.busySlots, scaling.slots, environment.catalog)
        if busy < slots { return ready.next { _ in true } }
        return ready.next {
            let pipeline = catalog.pipeline($0.message.name)
            return busy < slots + pipeline.behind + ($0.policy.keep > 0 ? pipeline.room : 0)
        }
    }

    mutating func dispatch(_ item: InFlight, _ actions: inout [EngineAction]) {
        let run = inFlight.beginRun(item)
        let isSuspect = suspects.scope(of: item.message.id) != nil
        // A series of calls that has begun goes on; a start that was recorded is one.
        let mayReturn = item.beganAt == nil && !item.startIsRecorded && !isSuspect
        item.phase = .dispatched(Execution(run, after: item.execution, order: item.order))
        placeInTrace(item)
        let message = item.message
        actions.append(
            .start(
                StartRequest(
                    run: run, taskName: item.mapping?.task ?? message.name, id: message.id, rootID: message.rootID,
                    parentID: message.parentID, groupID: message.groupID, queue: item.delivery.queue,
                    retries: message.retries, starts: item.starts, maxRetries: item.policy.maxRetries,
                    softLimit: item.softLimit, hardLimit: item.hardLimit, eta: message.eta,
                    redelivered: item.delivery.redelivered,
                    headersJSON: HeadersJSON.bytes(item.delivery.message.headers),
                    propertiesJSON: PropertiesJSON.bytes(item.delivery),
                    body: item.mapping?.body ?? message.body, keep: item.policy.keep,
                    memoryLimit: item.policy.memoryLimit, trace: item.trace?.context,
                    alone: isSuspect, mayReturn: mayReturn)))
    }

    func disarmTimeLimits(of item: InFlight, _ run: RunID, _ actions: inout [EngineAction]) {
        if item.softLimit != nil { actions.append(.disarm(.softLimit(run))) }
        if item.hardLimit != nil { actions.append(.disarm(.hardLimit(run))) }
    }

    /// It never began; after a pause that grows it is dispatched again, uncharged.
    mutating func redispatch(_ id: InFlightID, _ actions: inout [EngineAction]) {
        guard let item = inFlight[id], case .waiting(for: .redispatch) = item.phase else { return }
        makeReady(item)
    }

    /// There was no place for it, or it was recalled: it is looked at again before it starts.
    mutating func returned(_ run: RunID, _ actions: inout [EngineAction]) {
        guard let item = inFlight.endRun(run) else { return }
        if life.stopping != nil || intake.paused.contains(item.delivery.queue) { return requeue(item, &actions) }
        guard item.tag != nil || item.wasAcknowledgedEarly, let order = item.execution?.order else {
            return leaveToRedelivery(item, &actions)
        }
        item.phase = .ready(order: order)
        ready.putBack(item, order: order)
    }

    /// Its link is gone: the redelivery is the one that will run.
    mutating func leaveToRedelivery(_ item: InFlight, _ actions: inout [EngineAction]) {
        endLimit(item, &actions)
        release(item, isDone: false)
    }

    /// A bundle serves again: tasks that wait because it did not are dispatched now.
    mutating func redispatchRefused(_ actions: inout [EngineAction]) {
        for item in inFlight.inOrder {
            guard case .waiting(for: .redispatch) = item.phase else { continue }
            actions.append(.disarm(.redispatch(item.id)))
            redispatch(item.id, &actions)
        }
    }

    mutating func began(_ run: RunID, pid: Int32, _ actions: inout [EngineAction]) {
        guard let item = inFlight[run: run] else { return errbackBegan(run, &actions) }
        if let execution = item.execution {
            execution.pid = pid
            item.phase = .running(execution)
        }
        // A series of calls is one task.
        let isFirst = item.beganAt == nil
        item.beganAt = now.wall
        inFlight.countStart(of: item)
        note(&actions, .started(name: item.message.displayName, id: item.message.id, pid: pid))
        if isFirst { emit(.started(pid: pid), of: item, &actions) }
        if let seconds = item.softLimit, seconds > 0 { actions.append(.arm(.softLimit(run), afterSeconds: seconds)) }
        if let seconds = item.hardLimit, seconds > 0 { actions.append(.arm(.hardLimit(run), afterSeconds: seconds)) }
        if !item.policy.acksLate, let tag = item.tag {
            item.wasAcknowledgedEarly = true
            item.tag = nil
            actions.append(.acknowledge(tag))
        }
        if item.policy.trackStarted, !item.ignoresResult {
            let meta = ResultMeta.started(
                of: item.message, pid: pid, hostname: options.nodeName, extended: extended(item))
            storeState(item, .started, meta, &actions)
        }
    }

    mutating func softLimitReached(_ run: RunID, _ actions: inout [EngineAction]) {
        guard let item = inFlight[run: run] else {
            if inFlight.errback(run) != nil { actions.append(.softStop(run)) }
            return
        }
        note(
            &actions,
            .softLimit(name: item.message.displayName, id: item.message.id, seconds: item.softLimit ?? 0))
        emit(.reachedSoftLimit(seconds: item.softLimit ?? 0), of: item, &actions)
        actions.append(.softStop(run))
    }

    mutating func hardLimitReached(_ run: RunID, _ actions: inout [EngineAction]) {
        guard let seconds = inFlight[run: run].map(\.hardLimit) ?? inFlight.errback(run)?.policy.hardLimit else {
            return
        }
        actions.append(.kill(run, .hardLimit(seconds: seconds)))
    }
}
