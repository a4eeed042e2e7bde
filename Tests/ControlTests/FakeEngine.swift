// An engine that holds what the recorded Celery worker held, and remembers what it was told.
import Ports
import TaskModel

final class FakeEngine: EngineControl {
    var nodeName = "w1@test"
    var inFlightTasks: [InFlightTask] = []
    /// What waits in the broker; told for all when no ids are asked for.
    var later = LaterTasks()
    func laterTasks(_ ids: Set<String>?, limit: Int, done: @escaping (LaterTasks) -> Void) {
        guard let ids else { return done(later) }
        done(LaterTasks(next: later.next.filter { ids.contains($0.task.id) || ids.contains($0.rootID ?? "") }))
    }
    var registeredTasks: [TaskManifest] = []
    var bundles: [BundleReport] = []
    func promote(bundle: String?) -> [String]? {
        told.append("promote \(bundle ?? "")")
        return bundle == "unknown" ? nil : bundles.isEmpty ? [] : ["demo 2 serves everything"]
    }
    func rollBack(bundle: String?) -> [String]? {
        told.append("roll back \(bundle ?? "")")
        return bundle == "unknown" ? nil : bundles.isEmpty ? [] : ["demo 2 is taken back: the version before serves"]
    }
    var consumedQueues: [QueueDeclaration] = []
    var isStopping = false
    var revokedTaskIDs: [String] = []
    var figures = EngineFigures(
        received: [:], slots: 2, credit: 9, softLimit: nil, hardLimit: nil, tasksPerChild: 0)
    var observers: [any EngineObserver] = []
    func add(observer: any EngineObserver) { observers.append(observer) }
    func remove(observer: any EngineObserver) { observers.removeAll { $0 === observer } }

    /// Calls that changed something, in order.
    var told: [String] = []

    func revoke(_ taskIDs: [String], terminate signal: Int32?) -> [String] {
        told.append("revoke \(taskIDs) \(signal ?? 0)")
        let known = Set(revokedTaskIDs)
        revokedTaskIDs += taskIDs.filter { !known.contains($0) }
        return signal == nil ? [] : taskIDs.filter { id in inFlightTasks.contains { $0.id == id } }
    }

    var carriers: [RevokedStamp] = []
    func revoke(stamps: [RevokedStamp], terminate signal: Int32?) -> [RevokedStamp] {
        told.append("stamps \(stamps.map { "\($0.name)=\($0.values)" }) \(signal ?? 0)")
        return signal == nil ? [] : carriers
    }

    func mergeRevoked(_ taskIDs: [String]) {
        revokedTaskIDs += taskIDs.filter { !revokedTaskIDs.contains($0) }
    }

    func setRateLimit(_ limit: String?, task: String) throws(ControlRefusal) {
        if let limit {
            let parts = limit.split(separator: "/")
            guard Double(String(parts[0])) != nil else { throw .invalidRate(String(parts[0])) }
            if parts.count > 1, !["s", "m", "h"].contains(parts[1]) { throw .unknownUnit(String(parts[1])) }
        }
        guard let index = registeredTasks.firstIndex(where: { $0.name == task }) else { throw .unknownTask }
        registeredTasks[index].options.rateLimit = limit
    }

    func setTimeLimits(soft: Double?, hard: Double?, task: String) throws(ControlRefusal) {
        guard registeredTasks.contains(where: { $0.name == task }) else { throw .unknownTask }
        told.append("limits \(task) \(soft ?? -1) \(hard ?? -1)")
    }

    func whenMemoryIsKept(_ done: @escaping () -> Void) { done() }
    func addConsumer(_ queue: QueueDeclaration) { consumedQueues.append(queue) }
    func cancelConsumer(queue: String) { consumedQueues.removeAll { $0.name == queue } }

    var pausedQueues: [String] = []
    func pause(queue: String) -> QueuePauseAnswer {
        guard consumedQueues.contains(where: { $0.name == queue }) else { return .notConsumed }
        guard !pausedQueues.contains(queue) else { return .already }
        pausedQueues.append(queue)
        return .done
    }
    func resume(queue: String) -> QueuePauseAnswer {
        guard consumedQueues.contains(where: { $0.name == queue }) else { return .notConsumed }
        guard let index = pausedQueues.firstIndex(of: queue) else { return .already }
        pausedQueues.remove(at: index)
        return .done
    }

    var range: SlotRange?
    var mayRestart = false
    func changeSlots(by change: Int) throws(ControlRefusal) {
        guard range == nil else { throw .autoscales }
        told.append("slots \(change)")
    }
    func setAutoscale(max: Int?, min: Int?) throws(ControlRefusal) -> SlotRange {
        guard let now = range else { throw .notAutoscaling }
        let new = SlotRange(min: min ?? now.min, max: max ?? now.max)
        range = new
        return new
    }
    func restartPool() throws(ControlRefusal) {
        guard mayRestart else { throw .restartsDisabled }
        told.append("restart")
    }

    func shutDown() { told.append("shutDown") }
}

/// A channel that keeps what is sent, and a loop of which only the clock is used.
final class FakeChannel: ControlChannel {
    var received: ((ControlMessage) -> Void)?
    var replies: [(address: ControlReplyAddress, message: WireMessage)] = []
    var broadcasts: [WireMessage] = []
    var ownAddress: ControlReplyAddress? = ControlReplyAddress(exchange: "", routingKey: "w1@test.celery.pidbox")

    func open(nodeName: String, controlExchange: String, received: @escaping (ControlMessage) -> Void) {
        self.received = received
    }

    func deliver(_ message: WireMessage) { received?(ControlMessage(message: message)) }

    func reply(to address: ControlReplyAddress, _ message: WireMessage) { replies.append((address, message)) }
    func broadcast(_ message: WireMessage, controlExchange: String) { broadcasts.append(message) }
    func close() { received = nil }
}

final class FakeLoop: EventLoop {
    var clocks = Clocks(
        monotonic: Instant(nanoseconds: 5_000_000_000), wall: WallTime(secondsSince1970: 1_795_447_520))

    final class Nothing: LoopWatch, LoopTimer {
        func change(to interest: Readiness) {}
        func cancel() {}
    }

    func watch(
        _ descriptor: Int32, for interest: Readiness, _ ready: @escaping (Readiness) -> Void
    ) -> any LoopWatch { Nothing() }
    func schedule(afterSeconds seconds: Double, _ fire: @escaping () -> Void) -> any LoopTimer { Nothing() }
    func atTurnEnd(_ flush: @escaping () -> Void) {}
    /// What is posted waits for `turn`; else it is done at once.
    var keepsPosts = false
    private(set) var posted: [() -> Void] = []
    func post(_ work: @escaping @Sendable () -> Void) {
        if keepsPosts { posted.append(work) } else { work() }
    }
    func turn() {
        let works = posted
        posted = []
        for work in works { work() }
    }
}
