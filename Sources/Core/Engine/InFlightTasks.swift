// The messages in flight here, by their own number and by the run that the runner knows them by.
import CeleryWire
import Ports
import TaskModel

/// Each message is in `byID` from its arrival to its settlement; while it has a slot it is in `byRun` or in `checking`.
struct InFlightTasks {
    private var byID: [InFlightID: InFlight] = [:]
    private var byRun: [RunID: InFlight] = [:]
    /// Called while the task that failed is being recorded.
    private var errbacks: [RunID: ErrbackCall] = [:]
    /// Each keeps a slot until the store or the broker has answered.
    private var checking: Set<InFlightID> = []
    private var lastID: UInt64 = 0
    private var lastRun: UInt64 = 0
    /// Starts that began, by the task's name; and by queue.
    private(set) var startsByTask: [String: Int] = [:]
    private(set) var startsByQueue: [String: Int] = [:]

    var isEmpty: Bool { byID.isEmpty }
    var count: Int { byID.count }
    var values: Dictionary<InFlightID, InFlight>.Values { byID.values }
    /// By arrival: the same events lead to the same actions.
    var inOrder: [InFlight] { byID.values.sorted { $0.id.number < $1.id.number } }

    subscript(_ id: InFlightID) -> InFlight? { byID[id] }

    mutating func add(_ delivery: Delivery, _ message: TaskMessage, _ policy: TaskPolicy, at now: WallTime) -> InFlight
    {
        lastID += 1
        let item = InFlight(id: InFlightID(number: lastID), delivery: delivery, message: message, policy: policy)
        item.receivedAt = now
        byID[item.id] = item
        return item
    }

    /// It is settled, or lost with its link.
    /// - Returns: false: it was so before.
    mutating func remove(_ item: InFlight) -> Bool {
        item.phase = .over
        return byID.removeValue(forKey: item.id) != nil
    }

    /// Nothing runs any more; what is in flight is removed one by one.
    mutating func abandonRuns() {
        byRun.removeAll()
        errbacks.removeAll()
        checking.removeAll()
    }

    // ---- slots ----

    /// Errbacks that run here take a slot each; they may have to wait for it in the runner.
    var busySlots: Int { byRun.count + errbacks.count + checking.count }
    var runs: Dictionary<RunID, InFlight> { byRun }
    var runCount: Int { byRun.count }
    var errbackCount: Int { errbacks.count }
    var checkCount: Int { checking.count }
    var runsNothing: Bool { byRun.isEmpty && errbacks.isEmpty }
    /// In the order of their starts.
    var allRuns: [RunID] { (Array(byRun.keys) + Array(errbacks.keys)).sorted { $0.number < $1.number } }

    subscript(run run: RunID) -> InFlight? { byRun[run] }

    mutating func beginRun(_ item: InFlight) -> RunID {
        let run = nextRun()
        byRun[run] = item
        return run
    }

    mutating func endRun(_ run: RunID) -> InFlight? { byRun.removeValue(forKey: run) }

    func errback(_ run: RunID) -> ErrbackCall? { errbacks[run] }

    mutating func beginErrback(_ call: ErrbackCall) -> RunID {
        let run = nextRun()
        errbacks[run] = call
        return run
    }

    mutating func endErrback(_ run: RunID) -> ErrbackCall? { errbacks.removeValue(forKey: run) }

    private mutating func nextRun() -> RunID {
        lastRun += 1
        return RunID(lastRun)
    }

    /// It has a slot, and starts when it is known whether it may.
    mutating func beginCheck(_ id: InFlightID) { checking.insert(id) }

    /// - Returns: false: it was not being checked.
    @discardableResult
    mutating func endCheck(_ id: InFlightID) -> Bool {
        guard !checking.isEmpty else { return false }
        return checking.remove(id) != nil
    }

    /// Not by the name shown: senders may choose a new one each time.
    mutating func countStart(of item: InFlight) {
        startsByTask[item.message.name, default: 0] += 1
        startsByQueue[item.delivery.queue, default: 0] += 1
    }
}
