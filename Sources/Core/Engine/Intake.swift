// What the broker may deliver here: which queues are consumed, how many messages of each, how many bytes in all.
import CeleryWire
import Ports
import TaskModel

/// The credit of a queue is what its slots and the present rate call for, and on top of it what must not use it up:
/// messages that wait for their time.
struct Intake {
    /// Consumed now, in the order of preference.
    private(set) var queues: [QueuePreference]
    /// Their names: there may be thousands, each asked for in every change of credit.
    private var names: Set<String>
    /// Consumed queues from which nothing is taken at present.
    private(set) var paused: Set<String> = []
    private var credit: Credit
    private var budget: MemoryBudget
    private var decoding = Decoding()
    /// Messages in flight until they are due (or until a pause before their requeue is over), by queue.
    private var delayed: [String: Int] = [:]
    /// When the rate was looked at last; nil: it is not looked at, since nothing happens.
    private var lastTick: Instant?

    init(_ options: EngineOptions) {
        queues = options.queues
        names = Set(options.queues.map(\.declaration.name))
        credit = Credit(options: options)
        budget = MemoryBudget(maxBytes: options.maxHeldBytes, maxWaiting: options.maxWaiting)
    }

    // ---- queues ----

    func declaration(_ name: String) -> QueueDeclaration? { queues.first { $0.declaration.name == name }?.declaration }

    func consumes(_ name: String) -> Bool { names.contains(name) }

    mutating func add(_ queue: QueueDeclaration) {
        queues.append(QueuePreference(declaration: queue))
        names.insert(queue.name)
    }

    /// - Returns: false: it was not consumed.
    mutating func remove(_ name: String) -> Bool {
        guard consumes(name) else { return false }
        queues.removeAll { $0.declaration.name == name }
        names.remove(name)
        paused.remove(name)
        return true
    }

    /// - Returns: false: it is not consumed, or was paused before.
    mutating func pause(_ name: String) -> Bool { consumes(name) && paused.insert(name).inserted }

    /// - Returns: false: it was not paused.
    mutating func resume(_ name: String) -> Bool { paused.remove(name) != nil }

    /// As they were when the last process ended. Queues that are not consumed any more are left out.
    mutating func restorePaused(_ names: [String]) { paused = Set(names).filter(consumes) }

    // ---- credit ----

    /// Messages of this queue wanted in flight, without those that wait for limits or to be recorded.
    func credit(_ queue: String) -> Int { usualCredit + (delayed[queue] ?? 0) }

    /// The same without those that wait for their time.
    var usualCredit: Int { credit.wanted(waiting: 0) }

    /// Nothing is taken from it: it is paused, or memory is used up.
    func isClosed(_ queue: String) -> Bool { budget.isFull || paused.contains(queue) }

    mutating func taskFinished() { credit.taskFinished() }

    mutating func slotsChanged(to slots: Int) { credit.resize(to: slots) }

    /// The rate is to be looked at from now on.
    /// - Returns: false: it is already.
    mutating func beginTicking(at now: Instant) -> Bool {
        guard lastTick == nil else { return false }
        lastTick = now
        return true
    }

    /// The link is there: the time without it does not count.
    mutating func restartTicking(at now: Instant) { lastTick = now }

    /// - Returns: whether the credit has changed.
    mutating func tick(at now: Instant) -> Bool {
        let elapsed = lastTick.map { now.seconds(since: $0) } ?? Credit.interval
        guard !credit.isTooEarly(afterSeconds: elapsed) else { return false }
        lastTick = now
        return credit.tick(elapsedSeconds: elapsed)
    }

    /// Nothing has finished for long.
    var isIdle: Bool { credit.isIdle }

    mutating func endTicking() { lastTick = nil }

    // ---- memory ----

    var maxBytes: Int { budget.maxBytes }

    func hasRoom(bodyBytes: Int) -> Bool { budget.hasRoom(for: bodyBytes + MemoryBudget.overhead) }

    /// Something found no room: nothing is taken until half of the budget is free.
    /// - Returns: whether that is new.
    mutating func overflows() -> Bool {
        defer { budget.overflows() }
        return !budget.isFull
    }

    /// True once, when messages may be taken again.
    mutating func reopens() -> Bool { budget.reopens() }

    mutating func takes(_ size: Int) { budget.takes(size) }

    mutating func releases(_ size: Int) { budget.releases(size) }

    // ---- messages that wait for their time ----

    /// One more may be kept here until it is due.
    var mayDelay: Bool { budget.mayWait }

    mutating func beginDelay(_ queue: String, size: Int) {
        delayed[queue, default: 0] += 1
        budget.waits(size)
    }

    mutating func endDelay(_ queue: String, size: Int) {
        let left = (delayed[queue] ?? 1) - 1
        delayed[queue] = left > 0 ? left : nil
        budget.waitsNoMore(size)
    }

    var delaysNothing: Bool { delayed.isEmpty }

    // ---- long bodies, decoded beside the loop ----

    func isDecoding(_ queue: String) -> Bool { decoding.holds(queue) }

    func nextToDecode(_ queue: String) -> Delivery? { decoding.first(queue) }

    /// Counted at once: the next message is asked for its size before this one is decoded.
    mutating func beginDecoding(_ delivery: Delivery) {
        budget.takes(InFlight.size(of: delivery))
        decoding.append(delivery)
    }

    mutating func endDecoding(_ queue: String) -> Decoding.Entry? {
        guard let entry = decoding.takeFirst(queue) else { return nil }
        budget.releases(InFlight.size(of: entry.delivery))
        return entry
    }

    /// Their link is gone.
    /// - Parameter queue: nil: of all queues.
    mutating func loseDecoding(_ queue: String?) { decoding.lose(queue) }

    mutating func endAllDecoding() -> [Decoding.Entry] {
        let entries = decoding.takeAll()
        for entry in entries { budget.releases(InFlight.size(of: entry.delivery)) }
        return entries
    }
}
