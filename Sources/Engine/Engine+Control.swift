// The engine as remote control sees it.
import CeleryWire
import Logging
public import Ports
public import TaskModel

extension Engine: EngineControl {
    public var nodeName: String { options.nodeName }

    public var heldTasks: [HeldTask] {
        core.heldInOrder.map { HeldTask($0) }
    }

    public var registeredTasks: [TaskManifest] {
        var names: Set<String> = []
        for bundle in runner.bundles where bundle.status == .active {
            for task in bundle.manifest?.tasks ?? [] { names.insert(task.name) }
        }
        return names.compactMap { name in
            guard var task = runner.task(named: name) else { return nil }
            // As it is set now.
            if let rate = core.rates[name] { task.options.rateLimit = rate == nil ? nil : rateTexts[name] }
            return task
        }
    }

    /// Whether a loaded bundle has it.
    public func knows(task name: String) -> Bool { runner.task(named: name) != nil }

    public var consumedQueues: [QueueDeclaration] { core.queues.map(\.declaration) }

    public var revokedTaskIDs: [String] { core.revocations.ids(at: loop.clocks.monotonic) }

    public var figures: EngineFigures {
        EngineFigures(
            received: core.received, slots: core.slots,
            credit: core.queues.reduce(0) { $0 + core.wantedCredit($1.declaration.name) },
            softLimit: options.defaults.softLimit, hardLimit: options.defaults.hardLimit,
            tasksPerChild: options.defaults.alwaysFresh ? 0 : options.defaults.keep,
            autoscale: core.scaling?.range,
            inHand: core.held.values.reduce(0) { if case .waiting = $1.phase { $0 } else { $0 + 1 } },
            running: core.runs.count, held: core.held.count, isLinkUp: core.isLinkUp,
            startsByQueue: core.startsByQueue)
    }

    public func revoke(_ taskIDs: [String], terminate signal: Int32?) -> [String] {
        let active = Set(core.runs.values.map(\.message.id))
        for id in taskIDs where !active.contains(id) { markRevoked(id) }
        handle(.revoke(taskIDs, terminate: signal))
        return signal == nil ? [] : taskIDs.filter(active.contains)
    }

    public func revoke(stamps: [RevokedStamp], terminate signal: Int32?) -> [RevokedStamp] {
        var matched: [RevokedStamp] = []
        if signal != nil {
            for item in core.runs.values {
                for stamp in Revocations.matches(item.message, among: stamps) { matched.append(stamp) }
            }
        }
        handle(.revokeStamps(stamps, terminate: signal))
        return stamps.compactMap { stamp in
            let values = stamp.values.filter { value in
                matched.contains { $0.name == stamp.name && $0.values.contains(value) }
            }
            return values.isEmpty ? nil : RevokedStamp(name: stamp.name, values: values)
        }
    }

    public func mergeRevoked(_ taskIDs: [String]) { handle(.revoke(taskIDs, terminate: nil)) }

    public func setRateLimit(_ limit: String?, task: String) throws(ControlRefusal) {
        let rate = try RateLimit.parse(limit)
        guard runner.task(named: task) != nil else { throw .unknownTask }
        rateTexts[task] = limit
        handle(.setRate(rate, task: task))
    }

    public func setTimeLimits(soft: Double?, hard: Double?, task: String) throws(ControlRefusal) {
        guard runner.task(named: task) != nil else { throw .unknownTask }
        handle(.setTimeLimits(soft: soft, hard: hard, task: task))
    }

    public func addConsumer(_ queue: QueueDeclaration) { handle(.addQueue(queue)) }

    public func cancelConsumer(queue: String) { handle(.cancelQueue(queue)) }

    public var pausedQueues: [String] { core.paused.sorted() }

    public func pause(queue: String) -> QueuePauseAnswer {
        guard core.queues.contains(where: { $0.declaration.name == queue }) else { return .notConsumed }
        guard !core.paused.contains(queue) else { return .already }
        handle(.pauseQueue(queue))
        return .done
    }

    public func resume(queue: String) -> QueuePauseAnswer {
        guard core.queues.contains(where: { $0.declaration.name == queue }) else { return .notConsumed }
        guard core.paused.contains(queue) else { return .already }
        handle(.resumeQueue(queue))
        return .done
    }

    public func changeSlots(by change: Int) throws(ControlRefusal) {
        guard core.scaling == nil else { throw .autoscales }
        handle(.changeSlots(by: change))
    }

    public func setAutoscale(most: Int?, least: Int?) throws(ControlRefusal) -> SlotRange {
        guard let now = core.scaling?.range else { throw .autoscalesNot }
        // Whichever was not named gives way.
        let most = most ?? max(now.most, least ?? now.least)
        let range = SlotRange(least: least ?? min(now.least, most), most: most)
        handle(.setAutoscale(range))
        return range
    }

    public func restartPool() throws(ControlRefusal) {
        guard options.allowsPoolRestart else { throw .restartsNot }
        reload()
    }

    public func shutDown() { onShutDown() }

    /// So that clients need not wait until its message comes: only if nobody has begun it (celery-wire.md §5.7).
    private func markRevoked(_ id: String) {
        guard let store else { return }
        let failed = { [log] (failure: StoreFailure) in
            log.error("Task [\(id)] is revoked, but its state could not be stored: \(failure)")
        }
        store.fetch(id) { [self] answer in
            switch answer {
            case .failure(let failure): failed(failure)
            case .success(let document):
                guard Self.mayStillStart(document) else { return }
                let meta = ResultMeta.revoked(
                    of: TaskMessage(id: id, name: ""), reason: "revoked", at: loop.clocks.wall,
                    children: Array("null".utf8), extended: nil)
                let record = ResultRecord(
                    taskID: id, state: .revoked, meta: meta, replyTo: nil, correlationID: nil,
                    expiresAfterSeconds: options.resultExpiresSeconds)
                store.store(record) { if let failure = $0 { failed(failure) } }
            }
        }
    }

    private static func mayStillStart(_ document: [UInt8]?) -> Bool {
        guard let document else { return true }
        do {
            let state = try ReceivedMeta(parsing: document).state
            return [.pending, .retry, TaskState(rawValue: "RECEIVED"), TaskState(rawValue: "REJECTED")].contains(state)
        } catch {
            // What we cannot read we had better not write over.
            return false
        }
    }
}

extension HeldTask {
    init(_ item: Held) {
        let message = item.message
        let phase: Phase =
            switch item.phase {
            case .waiting: item.isPausing ? .reserved : .scheduled
            case .limited, .ready, .asking, .handed: .reserved
            case .running: .active(since: item.beganAt, pid: item.pid)
            case .recording: .ready
            }
        self.init(
            phase: phase, id: message.id, name: message.name, displayName: message.displayName,
            args: Array(message.body[message.argsRange]), kwargs: Array(message.body[message.kwargsRange]),
            argsRepr: message.argsRepr, kwargsRepr: message.kwargsRepr, eta: message.eta,
            exchange: item.delivery.exchange, routingKey: item.delivery.routingKey, priority: message.priority,
            redelivered: item.delivery.redelivered, isAcknowledged: item.wasAcknowledgedEarly,
            softLimit: item.softLimit, hardLimit: item.hardLimit, lastLine: item.lastLine)
    }
}
