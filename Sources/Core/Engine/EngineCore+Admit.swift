// Decode and admit: from bytes to a message that may run, waits until it is due, or is refused.
import CeleryWire
import Ports
import TaskModel

extension EngineCore {
    /// The broker counts how often it was returned, also by workers that never began it, and would drop it in the end.
    /// A copy is counted from nothing.
    mutating func resend(_ item: InFlight, _ actions: inout [EngineAction]) {
        let (delivery, message) = (item.delivery, item.message)
        actions.append(
            .log(.resent(name: message.displayName, id: message.id, returns: delivery.deliveryCount ?? 0)))
        let copy = Republication.restart(delivery, message, starts: message.priorStarts)
        record(item, [.publish(publication(of: copy, to: delivery.queue)), .acknowledge], done: false, &actions)
    }

    /// nil: it cannot be read, or there is no room for it, or the worker stops.
    mutating func readable(
        _ delivery: Delivery, _ decoded: Result<TaskMessage, RefusedMessage>, _ actions: inout [EngineAction]
    ) -> TaskMessage? {
        if life.stopping != nil {
            actions.append(.reject(delivery.tag, requeue: true))
            return nil
        }
        if delivery.unreadBytes != nil {
            if !delivery.redelivered, case .failure(let refusal) = decoded, let message = refusal.known {
                known.begins(message)
            }
            requeueForRoom(delivery, &actions)
            return nil
        }
        do throws(RefusedMessage) {
            return try decoded.get()
        } catch {
            if !requeuesForRoom(delivery, &actions) { refuse(delivery, error, &actions) }
            return nil
        }
    }

    /// nil: no bundle has its task, and neither has the engine itself.
    mutating func hold(
        _ delivery: Delivery, _ message: TaskMessage, _ actions: inout [EngineAction]
    ) -> InFlight? {
        if !isRevoked(message, withStamps: false), !message.wasTold {
            note(&actions, .received(name: message.displayName, id: message.id))
        }
        let policy = policy(for: message.name)
        let builtin = policy == nil ? Builtin(rawValue: message.name) : nil
        guard policy != nil || builtin != nil else {
            refuseUnknown(delivery, message, &actions)
            return nil
        }
        let item = add(
            delivery, message,
            policy ?? TaskPolicy(manifest: TaskOptions(), override: nil, defaults: options.defaults))
        item.builtin = builtin
        // Once for each message, however often it was postponed: monitors count.
        if !message.wasTold, !isRevoked(message, withStamps: false), !isExpired(item) {
            emit(.received, of: item, &actions)
        }
        item.lostStarts = delivery.lostStarts ?? 0
        return item
    }

    func isExpired(_ item: InFlight) -> Bool { item.message.expires.map { now.wall > $0 } ?? false }

    mutating func failUnread(_ item: InFlight, _ failure: TaskFailure, _ actions: inout [EngineAction]) {
        note(&actions, .failed(name: item.message.displayName, id: item.message.id, failure: failure))
        emitWhenSettled(.failed(failure), of: item)
        record(item, failureSteps(item, failure) + [.acknowledge], &actions)
    }

    private mutating func add(_ delivery: Delivery, _ message: TaskMessage, _ policy: TaskPolicy) -> InFlight {
        let item = inFlight.add(delivery, message, policy, at: now.wall)
        intake.takes(item.size)
        return item
    }

    mutating func makeReady(_ item: InFlight) {
        item.phase = .ready(order: ready.insert(item))
        if isWatched { item.readyAt = now.wall }
    }

    mutating func becameDue(_ id: InFlightID, _ actions: inout [EngineAction]) {
        guard let item = inFlight[id], case .waiting(for: .eta) = item.phase else { return }
        // The wall clock may have been set back since the timer was armed.
        if let eta = item.message.eta, eta > now.wall { return arm(item, until: eta, &actions) }
        endDelay(item, &actions)
        if isExpired(item) { return discard(item, reason: "expired", &actions) }
        admitAtRate(item, &actions)
    }

    /// Near ones are held; far ones are published again with a delay: the broker keeps any number of them at no cost of
    /// ours.
    mutating func wait(_ item: InFlight, until eta: WallTime, _ actions: inout [EngineAction]) {
        let seconds = eta.seconds(since: now.wall)
        if seconds > options.etaHoldSeconds || (!intake.mayDelay && seconds > Self.minPostponed) {
            note(&actions, .postponed(name: item.message.displayName, id: item.message.id, seconds: seconds))
            var publication = publication(
                of: Republication.postpone(item.delivery), to: item.delivery.queue, dueInSeconds: seconds)
            // A near one that found no room comes back for its last second, to be waited out exactly.
            if publication.delaySeconds == 0 { publication.delaySeconds = seconds - 1 }
            record(item, [.publish(publication), .acknowledge], done: false, &actions)
            return
        }
        item.phase = .waiting(for: .eta)
        // One too many uses up its queue's credit, so that fewer come.
        if intake.mayDelay { beginDelay(item, &actions) }
        arm(item, until: eta, &actions)
    }

    /// What is due in so few seconds is not worth a way through the broker.
    private static let minPostponed = 3.0

    private func arm(_ item: InFlight, until eta: WallTime, _ actions: inout [EngineAction]) {
        actions.append(.arm(.due(item.id), afterSeconds: max(0, eta.seconds(since: now.wall))))
    }

    /// Expired or revoked: the state says so, nothing runs (celery-protocol.md §3.2).
    mutating func discard(_ item: InFlight, reason: String, _ actions: inout [EngineAction]) {
        revocations.add(item.message.id, at: now.monotonic)
        note(&actions, .discarded(name: item.message.displayName, id: item.message.id, reason: reason))
        emitWhenSettled(.revoked(signal: nil, hasExpired: reason == "expired"), of: item)
        record(item, revokedSteps(item, reason: reason) + [.acknowledge], &actions)
    }

    /// Dead-lettered with the reason: the bytes will not improve. Its result and its chord get the failure, as far as
    /// the message says which they are.
    private mutating func refuse(_ delivery: Delivery, _ refusal: RefusedMessage, _ actions: inout [EngineAction]) {
        let (error, message) = (refusal.error, refusal.known)
        actions.append(.log(.refused(error.logLine)))
        let item = add(
            delivery, message ?? TaskMessage(id: error.context.id ?? "", name: error.context.taskName ?? ""),
            TaskPolicy(manifest: TaskOptions(), override: nil, defaults: options.defaults))
        let dead = Republication.deadLetter(
            delivery, nil, reason: error.detail, kind: .refused, report: nil, starts: 0, at: now.wall)
        var steps: [Step] = []
        if let message, !message.id.isEmpty {
            let failure = CeleryFailure.refused(error)
            steps = failureSteps(item, failure)
            emitWhenSettled(.failed(failure), of: item)
        } else {
            emitWhenSettled(.rejected(requeue: false), of: item)
        }
        emitWhenSettled(.deadLettered(reason: error.detail), of: item)
        record(item, steps + deadLetterSteps(item, dead), done: false, &actions)
    }

    private mutating func refuseUnknown(
        _ delivery: Delivery, _ message: TaskMessage, _ actions: inout [EngineAction]
    ) {
        actions.append(
            .log(
                .refused(
                    "Received unregistered task of type '\(message.name)' (id \(message.id), queue \(delivery.queue)). "
                        + (catalog.nearest(message.name).map { "Did you mean \($0)? " } ?? "")
                        + options.unknownTaskHint)))
        let item = add(
            delivery, message, TaskPolicy(manifest: TaskOptions(), override: nil, defaults: options.defaults))
        let failure = CeleryFailure.notRegistered(message.name)
        let dead = Republication.deadLetter(
            delivery, message, reason: "no task named '\(message.name)'", kind: .unregistered, report: nil,
            starts: message.priorStarts, at: now.wall)
        emitWhenSettled(.failed(failure), of: item)
        emitWhenSettled(.deadLettered(reason: "no task named '\(message.name)'"), of: item)
        record(item, failureSteps(item, failure) + deadLetterSteps(item, dead), done: false, &actions)
    }
}
