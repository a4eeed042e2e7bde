// Which run is due, and what is remembered of it: a state machine without I/O.
public import TaskModel

/// A leader's view. One that follows has none: it takes up the memory of the one before.
public struct BeatCore: Sendable {
    private struct Slot {
        let entry: BeatEntry
        var run: BeatMemory.Run
        /// Told from `run`; kept, as it is asked for far more often than it changes.
        var next: WallTime?
        /// Handed out and not yet decided: from when the next due time counts if it is sent.
        var underWay: WallTime?

        init(_ entry: BeatEntry, _ run: BeatMemory.Run) {
            self.entry = entry
            self.run = run
            next = entry.schedule.next(after: run.last)
        }

        mutating func goOn(from last: WallTime) {
            run.last = last
            next = entry.schedule.next(after: last)
        }
    }

    private var slots: [Slot] = []
    private var places: [String: Int] = [:]
    /// Of entries that others may know, or that come back: a bundle is replaced, a configuration is rolled out.
    private var others = BeatMemory()
    /// Switched off: nothing of them is remembered, so that they count from when they are switched on.
    private let disabled: Set<String>

    /// How long those are remembered.
    private static let forgetsAfter = 86_400.0

    /// Entries not seen before count from now: nothing runs merely because beat starts.
    /// - Parameters:
    ///   - entries: no two of one name.
    ///   - disabled: names of entries that are switched off.
    public init(_ entries: [BeatEntry], disabled: Set<String> = [], memory: BeatMemory, now: WallTime) {
        self.disabled = disabled
        take(entries, memory, now: now)
    }

    /// Other entries from now on. What is under way of one that stays is still to be decided.
    public mutating func replace(_ entries: [BeatEntry], now: WallTime) {
        let underWay = slots.filter { $0.underWay != nil }
        take(entries, memory, now: now)
        for old in underWay {
            if let place = places[old.entry.name], slots[place].entry == old.entry {
                slots[place].underWay = old.underWay
            }
        }
    }

    private mutating func take(_ entries: [BeatEntry], _ memory: BeatMemory, now: WallTime) {
        var rest = memory
        for name in disabled { rest.runs[name] = nil }
        slots = entries.map { entry in
            let (zone, rule) = (entry.schedule.clock.name, entry.schedule.ruleText)
            guard var known = rest.runs.removeValue(forKey: entry.name), known.zone == zone,
                known.rule ?? rule == rule
            else {
                return Slot(entry, BeatMemory.Run(last: now, count: 0, zone: zone, rule: rule))
            }
            known.rule = rule
            known.forgottenAt = nil
            return Slot(entry, known)
        }
        places = [:]
        for (place, slot) in slots.enumerated() { places[slot.entry.name] = place }
        others = BeatMemory()
        for (name, run) in rest.runs {
            let since = run.forgottenAt ?? now
            guard now.seconds(since: since) < Self.forgetsAfter else { continue }
            others.runs[name] = run
            others.runs[name]?.forgottenAt = since
        }
    }

    public var memory: BeatMemory {
        var memory = others
        for slot in slots { memory.runs[slot.entry.name] = slot.run }
        return memory
    }

    /// Nothing is handed out and undecided.
    public var isIdle: Bool { slots.allSatisfy { $0.underWay == nil } }

    /// The runs due now that are not under way. Each is to be sent, then `sent` or `unsent`.
    public mutating func due(now: WallTime) -> [DueRun] {
        var found: [DueRun] = []
        for place in slots.indices where slots[place].underWay == nil {
            while let next = slots[place].next, next <= now {
                let decision = slots[place].entry.decision(first: next, now: now)
                guard let time = decision.time else {
                    // Skipped.
                    slots[place].goOn(from: decision.last)
                    continue
                }
                slots[place].underWay = decision.last
                found.append(DueRun(name: slots[place].entry.name, time: time))
                break
            }
        }
        return found.sorted { ($0.time, $0.name) < ($1.time, $1.name) }
    }

    public mutating func sent(_ run: DueRun) {
        guard let place = places[run.name], let last = slots[place].underWay else { return }
        slots[place].underWay = nil
        slots[place].run.count += 1
        slots[place].goOn(from: last)
    }

    /// It stays due.
    public mutating func unsent(_ run: DueRun) {
        if let place = places[run.name] { slots[place].underWay = nil }
    }

    /// When something is due next, of what is not under way.
    public var nextTime: WallTime? { slots.compactMap { $0.underWay == nil ? $0.next : nil }.min() }
}
