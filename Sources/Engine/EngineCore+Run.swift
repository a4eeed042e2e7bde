// Run: permits to children, and the limits of what runs.
import CeleryWire
import Ports
import TaskModel

extension EngineCore {
    mutating func startReady(_ actions: inout [EngineAction]) {
        guard ready.count > 0, stopping == nil else { return }
        repeat {
            while let item = ready.next(where: mayStart) {
                if let expires = item.message.expires, now.wall > expires {
                    discard(item, reason: "expired", &actions)
                    continue
                }
                if isRevoked(item.message, withStamps: true) {
                    discard(item, reason: "revoked", &actions)
                    continue
                }
                if rejoinsLine(item, &actions) || asksAgain(item, &actions) { continue }
                if mayHandOver(item, &actions) { handOver(item, &actions) }
            }
        } while scaleUp(&actions)
    }

    /// A slot is free; or the task's kept children can take one more without waiting for us.
    private func mayStart(_ item: Held) -> Bool {
        let busy = busySlots
        if busy < slots { return true }
        guard item.policy.keep > 0, let manifest = catalog.task(item.message.name) else { return false }
        return busy < slots + catalog.lookAhead(manifest)
    }

    /// Errbacks that run here take a slot each; they may have to wait for it in the runner.
    var busySlots: Int { runs.count + errbacks.count + asking.count }

    mutating func handOver(_ item: Held, _ actions: inout [EngineAction]) {
        lastRun += 1
        let run = RunID(lastRun)
        item.phase = .handed(run)
        runs[run] = item
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
                    memoryLimit: item.policy.memoryLimit, trace: item.trace?.context)))
    }

    /// It never began; after a pause that grows it is handed over again, uncharged.
    mutating func handOverAgain(_ id: HeldID, _ actions: inout [EngineAction]) {
        guard let item = held[id], case .waiting = item.phase else { return }
        item.isPausing = false
        makeReady(item)
    }

    mutating func began(_ run: RunID, pid: Int32, _ actions: inout [EngineAction]) {
        guard let item = runs[run] else { return errbackBegan(run, &actions) }
        item.phase = .running(run, since: now.monotonic)
        // A series of calls is one task.
        let isFirst = !item.began
        item.pid = pid
        item.beganAt = now.wall
        received[item.message.displayName, default: 0] += 1
        startsByQueue[item.delivery.queue, default: 0] += 1
        note(&actions, .started(name: item.message.displayName, id: item.message.id, pid: pid))
        if isFirst { tell(.started(pid: pid), of: item, &actions) }
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
        guard let item = runs[run] else {
            if errbacks[run] != nil { actions.append(.softStop(run)) }
            return
        }
        note(
            &actions,
            .softLimit(name: item.message.displayName, id: item.message.id, seconds: item.softLimit ?? 0))
        tell(.reachedSoftLimit(seconds: item.softLimit ?? 0), of: item, &actions)
        actions.append(.softStop(run))
    }

    mutating func hardLimitReached(_ run: RunID, _ actions: inout [EngineAction]) {
        guard let seconds = runs[run].map(\.hardLimit) ?? errbacks[run]?.policy.hardLimit else { return }
        actions.append(.kill(run, .hardLimit(seconds: seconds)))
    }
}
