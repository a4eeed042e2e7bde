// Decode and admit: from bytes to a message that may run, waits until it is due, or is refused.
import CeleryWire
import Ports
import TaskModel

extension EngineCore {
    mutating func take(_ delivery: Delivery, _ actions: inout [EngineAction]) {
        if stopping != nil {
            actions.append(.reject(delivery.tag, requeue: true))
            return
        }
        let message: TaskMessage
        do {
            message = try decoder.decode(delivery, now: now.wall)
        } catch {
            return refuse(delivery, error, &actions)
        }
        if delivery.redelivered {
            if settleKnown(delivery, message, &actions) { return }
        } else {
            known.begins(message)
        }
        if message.priorStarts > 0, settleTwin(delivery, message, &actions) { return }
        if paused.contains(delivery.queue) {
            // It was under way to us already.
            actions.append(.reject(delivery.tag, requeue: true))
            return
        }
        if !isRevoked(message, withStamps: false) {
            note(&actions, .received(name: message.displayName, id: message.id))
        }
        let manifest = catalog.task(message.name)
        let builtin = manifest == nil ? Builtin(rawValue: message.name) : nil
        guard manifest != nil || builtin != nil else { return refuseUnknown(delivery, message, &actions) }
        let item = hold(
            delivery, message,
            manifest.map { policy(for: message.name, manifest: $0) }
                ?? TaskPolicy(manifest: TaskOptions(), override: nil, defaults: options.defaults))
        item.builtin = builtin
        if !isRevoked(message, withStamps: false), message.expires.map({ now.wall <= $0 }) ?? true {
            tell(.received, of: item, &actions)
        }
        if mayBeDone(item) { return lookUp(item, &actions) }
        admit(item, &actions)
    }

    /// What is asked of every message before it may run.
    mutating func admit(_ item: Held, _ actions: inout [EngineAction]) {
        let message = item.message
        if let failure = message.argumentsFailure {
            note(&actions, .failed(name: message.displayName, id: message.id, failure: failure))
            tellWhenSettled(.failed(failure), of: item)
            return record(item, failureSteps(item, failure) + [.acknowledge], &actions)
        }
        if let expires = message.expires, now.wall > expires { return discard(item, reason: "expired", &actions) }
        if isRevoked(message, withStamps: false) { return discard(item, reason: "revoked", &actions) }
        if let eta = message.eta, eta > now.wall { return wait(item, until: eta, &actions) }
        admitAtRate(item, &actions)
    }

    mutating func hold(_ delivery: Delivery, _ message: TaskMessage, _ policy: TaskPolicy) -> Held {
        lastHeld += 1
        let item = Held(id: HeldID(number: lastHeld), delivery: delivery, message: message, policy: policy)
        item.receivedAt = now.wall
        held[item.id] = item
        return item
    }

    mutating func makeReady(_ item: Held) {
        item.phase = .ready
        if isWatched { item.readyAt = now.wall }
        ready.insert(item)
    }

    mutating func becameDue(_ id: HeldID, _ actions: inout [EngineAction]) {
        guard let item = held[id], case .waiting = item.phase else { return }
        // The wall clock may have been set back since the timer was armed.
        if let eta = item.message.eta, eta > now.wall { return arm(item, until: eta, &actions) }
        changeWaiting(item, by: -1, &actions)
        if let expires = item.message.expires, now.wall > expires { return discard(item, reason: "expired", &actions) }
        admitAtRate(item, &actions)
    }

    /// Near ones are held; far ones go back to the broker, which keeps any number of them at no cost of ours.
    private mutating func wait(_ item: Held, until eta: WallTime, _ actions: inout [EngineAction]) {
        let seconds = eta.seconds(since: now.wall)
        if seconds > options.etaHoldSeconds {
            note(&actions, .postponed(name: item.message.displayName, id: item.message.id, seconds: seconds))
            let publication = publication(
                of: Republication.postpone(item.delivery), to: item.delivery.queue, dueInSeconds: seconds)
            record(item, [.publish(publication), .acknowledge], done: false, &actions)
            return
        }
        item.phase = .waiting
        changeWaiting(item, by: 1, &actions)
        arm(item, until: eta, &actions)
    }

    private func arm(_ item: Held, until eta: WallTime, _ actions: inout [EngineAction]) {
        actions.append(.arm(.due(item.id), afterSeconds: max(0, eta.seconds(since: now.wall))))
    }

    private mutating func changeWaiting(_ item: Held, by change: Int, _ actions: inout [EngineAction]) {
        waiting[item.delivery.queue, default: 0] += change
        setCredit(item.delivery.queue, &actions)
    }

    /// Expired or revoked: the state says so, nothing runs (celery-wire.md §3.2).
    mutating func discard(_ item: Held, reason: String, _ actions: inout [EngineAction]) {
        revocations.add(item.message.id, at: now.monotonic)
        note(&actions, .discarded(name: item.message.displayName, id: item.message.id, reason: reason))
        tellWhenSettled(.revoked(signal: nil, hasExpired: reason == "expired"), of: item)
        record(item, revokedSteps(item, reason: reason) + [.acknowledge], &actions)
    }

    /// The bytes will not improve: to the dead letters, with the reason.
    private mutating func refuse(_ delivery: Delivery, _ error: WireError, _ actions: inout [EngineAction]) {
        actions.append(.log(.refused(error.logLine)))
        let item = hold(
            delivery, TaskMessage(id: error.context.id ?? "", name: error.context.taskName ?? ""),
            TaskPolicy(manifest: TaskOptions(), override: nil, defaults: options.defaults))
        let dead = Republication.deadLetter(
            delivery, nil, reason: error.detail, verdict: "refused", report: nil, starts: 0, at: now.wall)
        tellWhenSettled(.rejected(requeue: false), of: item)
        tellWhenSettled(.deadLettered(reason: error.detail), of: item)
        record(item, bury(item, dead), done: false, &actions)
    }

    private mutating func refuseUnknown(
        _ delivery: Delivery, _ message: TaskMessage, _ actions: inout [EngineAction]
    ) {
        actions.append(
            .log(
                .refused(
                    "Received unregistered task of type '\(message.name)' (id \(message.id), queue \(delivery.queue)). "
                        + "No loaded bundle has it: `taskhost bundles` lists what is loaded.")))
        let item = hold(
            delivery, message, TaskPolicy(manifest: TaskOptions(), override: nil, defaults: options.defaults))
        let failure = CeleryFailure.notRegistered(message.name)
        let dead = Republication.deadLetter(
            delivery, message, reason: "no task named '\(message.name)'", verdict: "unregistered", report: nil,
            starts: message.priorStarts, at: now.wall)
        tellWhenSettled(.failed(failure), of: item)
        tellWhenSettled(.deadLettered(reason: "no task named '\(message.name)'"), of: item)
        record(item, failureStep(item, failure) + bury(item, dead), done: false, &actions)
    }
}
