// Which run is due, and what is remembered of it: a state machine without I/O.
public import TaskModel

/// A leader's view. One that follows has none: it takes up the memory of the one before.
public struct BeatCore: Sendable {
    public let entries: [BeatEntry]
    public private(set) var memory: BeatMemory
    /// Handed out and not yet decided.
    private var underWay: Set<String> = []

    /// Entries not seen before count from now: nothing runs merely because beat starts.
    public init(_ entries: [BeatEntry], memory: BeatMemory, now: WallTime) {
        self.entries = entries
        self.memory = BeatMemory()
        for entry in entries {
            let zone = entry.schedule.clock.name
            var run = BeatMemory.Run(last: now, count: 0, zone: zone)
            if let known = memory.runs[entry.name], known.zone == zone { run = known }
            self.memory.runs[entry.name] = run
        }
    }

    /// The runs due now that are not under way. Each is to be sent, then `sent` or `unsent`.
    public mutating func due(now: WallTime) -> [DueRun] {
        var found: [DueRun] = []
        for entry in entries where !underWay.contains(entry.name) {
            while let run = memory.runs[entry.name], let due = entry.due(after: run.last, now: now) {
                guard let time = due.time else {
                    // Skipped.
                    memory.runs[entry.name]?.last = due.last
                    continue
                }
                underWay.insert(entry.name)
                found.append(DueRun(name: entry.name, time: time))
                break
            }
        }
        return found.sorted { ($0.time, $0.name) < ($1.time, $1.name) }
    }

    /// - Parameter now: of the call of `due` that gave it.
    public mutating func sent(_ run: DueRun, dueAt now: WallTime) {
        underWay.remove(run.name)
        guard let entry = entries.first(where: { $0.name == run.name }), var memory = memory.runs[run.name] else {
            return
        }
        memory.last = entry.due(after: memory.last, now: now)?.last ?? run.time
        memory.count += 1
        self.memory.runs[run.name] = memory
    }

    /// It stays due.
    public mutating func unsent(_ run: DueRun) { underWay.remove(run.name) }

    /// When something is due next, of what is not under way.
    public var nextTime: WallTime? {
        entries.compactMap { entry in
            guard !underWay.contains(entry.name), let run = memory.runs[entry.name] else { return nil }
            return entry.schedule.next(after: run.last)
        }.min()
    }
}
