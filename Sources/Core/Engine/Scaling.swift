// How many slots there are, by command or by demand.
import Ports
import TaskModel

/// With a range, slots follow demand: up at once when something waits for one, down when some were idle for long.
struct Scaling {
    /// Tasks run at a time now.
    private(set) var slots: Int
    /// nil: the number changes by command only.
    private(set) var range: SlotRange?
    /// How long slots must have been too many until they go, seconds.
    private let keepSeconds: Double
    /// When all slots were last in use.
    private var lastFull: Instant?

    init(_ options: EngineOptions) {
        slots = options.slots
        range = options.autoscale
        keepSeconds = options.autoscaleKeepSeconds
    }

    /// Kept within what a host may have.
    /// - Returns: how many there were; nil: nothing changes.
    mutating func resize(to wanted: Int) -> Int? {
        let wanted = min(max(wanted, SlotRange.bounds.lowerBound), SlotRange.bounds.upperBound)
        guard wanted != slots else { return nil }
        defer { slots = wanted }
        return slots
    }

    mutating func follow(_ range: SlotRange, at now: Instant) {
        self.range = range
        lastFull = now
    }

    /// All slots are in use, or their number has just changed.
    mutating func isFull(at now: Instant) {
        if range != nil { lastFull = now }
    }

    /// Slots for this number of waiting tasks; nil: no more are allowed.
    func grown(waiting: Int) -> Int? {
        guard let range, waiting > 0, slots < range.max else { return nil }
        return min(range.max, slots + waiting)
    }

    /// What is left when idle slots go.
    func shrunk(running: Int) -> Int? { range.map { min(slots, max($0.min, running)) } }

    /// Seconds until idle slots may go; nil: there are none to go.
    func idleSeconds(at now: Instant) -> Double? {
        guard let range, slots > range.min else { return nil }
        return max(0.001, keepsIdleSlots(at: now))
    }

    /// Seconds for which idle slots stay.
    func keepsIdleSlots(at now: Instant) -> Double {
        keepSeconds - (lastFull.map { now.seconds(since: $0) } ?? 0)
    }
}
