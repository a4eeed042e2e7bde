// The engine as remote control sees it.
import CeleryWire
import Logging
public import Ports
public import TaskModel

extension Engine: EngineControl {
    public var nodeName: String { options.nodeName }

    public var isStopping: Bool { stopping != nil }

    public var inFlightTasks: [InFlightTask] {
        core.inFlight.inOrder.map { InFlightTask($0) }
    }

    public var registeredTasks: [TaskManifest] {
        var names: Set<String> = []
        for bundle in runner.bundles where bundle.status == .active {
            for task in bundle.manifest?.tasks ?? [] { names.insert(task.name) }
        }
        return names.compactMap { name in
            guard var task = runner.task(named: name) else { return nil }
            // As it is set now.
            if let rate = core.policies.rateSet(for: name) {
                task.options.rateLimit = rate == nil ? nil : rateTexts[name]
            }
            return task
        }
    }

    /// Whether a loaded bundle has it.
    public func knows(task name: String) -> Bool { runner.task(named: name) != nil }

    public var consumedQueues: [QueueDeclaration] { core.intake.queues.map(\.declaration) }

    public var revokedTaskIDs: [String] { core.revocations.ids(at: loop.clocks.monotonic) }

    public var figures: EngineFigures {
        EngineFigures(
            received: core.inFlight.startsByTask, slots: core.scaling.slots,
            credit: core.intake.queues.reduce(0) { $0 + core.wantedCredit($1.declaration.name) },
            softLimit: options.defaults.softLimit, hardLimit: options.defaults.hardLimit,
            tasksPerChild: options.alwaysFresh ? 0 : options.defaults.keep ?? 0,
            autoscale: core.scaling.range,
            inHand: core.inFlight.values.reduce(0) { if case .waiting = $1.phase { $0 } else { $0 + 1 } },
            running: core.inFlight.runCount, held: core.inFlight.count, isLinkUp: core.life.isLinkUp,
            startsByQueue: core.inFlight.startsByQueue, owed: core.backlog.waiting, owesTooMuch: core.backlog.isFull,
            owedBecause: core.backlog.waiting == 0 ? "" : core.backlog.reason)
    }

    public func revoke(_ taskIDs: [String], terminate signal: Int32?) -> [String] {
        let wanted = Set(taskIDs)
        let active = Set(core.inFlight.runs.values.map(\.message).filter { EngineCore.names(wanted, $0) }.map(\.id))
        revokedSearch.add(taskIDs, except: active)
        handle(.revoke(taskIDs, terminate: signal))
        guard signal != nil else { return [] }
        // Ids named one by one are answered in that order; those of a workflow after them.
        return taskIDs.filter(active.contains) + active.subtracting(wanted).sorted()
    }

    public func revoke(stamps: [RevokedStamp], terminate signal: Int32?) -> [RevokedStamp] {
        let wanted = RevokedStamps(stamps)
        var matched: [String: Set<String>] = [:]
        if signal != nil {
            for item in core.inFlight.runs.values {
                for stamp in wanted.matches(item.message) { matched[stamp.name, default: []].formUnion(stamp.values) }
            }
        }
        handle(.revokeStamps(stamps, terminate: signal))
        return stamps.compactMap { stamp in
            let values = stamp.values.filter { matched[stamp.name]?.contains($0) ?? false }
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

    public var pausedQueues: [String] { core.intake.paused.sorted() }

    public func pause(queue: String) -> QueuePauseAnswer {
        guard core.intake.consumes(queue) else { return .notConsumed }
        guard !core.intake.paused.contains(queue) else { return .already }
        handle(.pauseQueue(queue))
        return .done
    }

    public func resume(queue: String) -> QueuePauseAnswer {
        guard core.intake.consumes(queue) else { return .notConsumed }
        guard core.intake.paused.contains(queue) else { return .already }
        handle(.resumeQueue(queue))
        return .done
    }

    public func changeSlots(by change: Int) throws(ControlRefusal) {
        guard core.scaling.range == nil else { throw .autoscales }
        handle(.changeSlots(by: change))
    }

    public func setAutoscale(max: Int?, min: Int?) throws(ControlRefusal) -> SlotRange {
        guard let now = core.scaling.range else { throw .notAutoscaling }
        // Whichever was not named gives way.
        let max = max ?? Swift.max(now.max, min ?? now.min)
        let range = SlotRange(min: min ?? Swift.min(now.min, max), max: max)
        handle(.setAutoscale(range))
        return range
    }

    public func restartPool() throws(ControlRefusal) {
        guard options.allowsPoolRestart else { throw .restartsDisabled }
        reload()
    }

    public var bundles: [BundleReport] { runner.bundles }

    public func promote(bundle: String?) -> [String]? { runner.promote(bundle) }

    public func rollBack(bundle: String?) -> [String]? { runner.rollBack(bundle) }

    public func shutDown() { onShutDown() }

    public func whenMemoryIsKept(_ done: @escaping () -> Void) { keeper(done) }
}

extension InFlightTask {
    init(_ item: InFlight) {
        let message = item.message
        let phase: Phase =
            switch item.phase {
            case .waiting(for: .eta): .scheduled
            case .waiting, .limited, .ready, .checking, .dispatched: .reserved
            case .running(let execution): .active(since: item.beganAt ?? item.receivedAt, pid: execution.pid)
            case .recording, .over: .ready
            }
        self.init(
            phase: phase, id: message.id, name: message.name, displayName: message.displayName,
            args: message.body[message.argsRange], kwargs: message.body[message.kwargsRange],
            argsRepr: message.argsRepr, kwargsRepr: message.kwargsRepr, eta: message.eta,
            exchange: item.delivery.exchange, routingKey: item.delivery.routingKey, priority: message.priority,
            redelivered: item.delivery.redelivered, isAcknowledged: item.wasAcknowledgedEarly,
            softLimit: item.softLimit, hardLimit: item.hardLimit, lastLine: item.execution?.lastLine)
    }
}
