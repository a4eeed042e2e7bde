// Which tasks must not run any more: by id, and by stamp (celery-protocol.md §3.2).
import CeleryWire
import Ports
import TaskModel

/// Bounded, since other workers may send any number of them.
struct Revocations {
    static let maxIDs = 50_000
    /// Seconds until an id is forgotten.
    static let lifetime = 10_800.0
    /// Seconds between two looks at those that are kept for longer.
    private static let pause = 5.0
    /// Bytes; a longer id is no task's that we would take.
    static let longestID = 1024

    /// When each is forgotten: a moment still to come, which the monotonic clock of a machine just started has, too.
    private var added: [String: Instant] = [:]
    /// Oldest first; ids that were forgotten or added again are passed over.
    private var order: [(id: String, until: Instant)] = []
    private var first = 0
    /// Of tasks that are due only after that time: until when each is kept.
    private var kept: [String: Instant] = [:]
    /// None of these is forgotten before; nil: there is none.
    private var soonestKept: Instant?
    /// Roots of the workflows among them: what is asked of each message.
    private var workflows: [String: Instant] = [:]
    private var stampBook = RevokedStamps()
    var stamps: [RevokedStamp] { stampBook.list }
    /// Kept at present, forgotten ones among them.
    var entries: Int { order.count }
    /// Goes up with every addition.
    private(set) var changes = 0

    var isEmpty: Bool { added.isEmpty && kept.isEmpty && stampBook.isEmpty }

    /// - Parameter age: seconds since it was revoked; below 0: it was to be kept for longer.
    mutating func add(_ id: String, at now: Instant, age: Double = 0) {
        guard id.utf8.count <= Self.longestID else { return }
        guard age >= 0 else { return keep(id, forSeconds: Self.lifetime - age, at: now) }
        let until = now.advanced(bySeconds: Self.lifetime - age)
        guard added[id] != until else { return }
        changes += 1
        if let root = RevokedWorkflow.root(of: id) { workflows[root] = max(until, workflows[root] ?? until) }
        added[id] = until
        order.append((id, until))
        prune(at: now)
    }

    /// What it is about is due only then: it is not forgotten before.
    mutating func keep(_ id: String, forSeconds seconds: Double, at now: Instant) {
        let until = now.advanced(bySeconds: seconds)
        guard seconds > Self.lifetime, kept[id].map({ $0 < until }) ?? true else { return }
        forgetKept(at: now)
        guard kept.count < Self.maxIDs || kept[id] != nil else { return }
        changes += 1
        kept[id] = until
        soonestKept = min(soonestKept ?? until, until)
        if let root = RevokedWorkflow.root(of: id) { workflows[root] = until }
    }

    func contains(_ id: String, at now: Instant) -> Bool {
        if let until = added[id], now < until { return true }
        return kept[id].map { now < $0 } ?? false
    }

    /// By its id, or as a part of a workflow.
    func contains(_ message: TaskMessage, at now: Instant) -> Bool {
        if contains(message.id, at: now) { return true }
        guard !workflows.isEmpty, let until = workflows[message.rootID ?? message.id] else { return false }
        return now < until
    }

    /// Oldest first.
    mutating func ids(at now: Instant) -> [String] { aged(at: now).map(\.id) }

    /// Oldest first, with the seconds since each was revoked.
    mutating func aged(at now: Instant) -> [(id: String, age: Double)] {
        prune(at: now)
        let far = kept.filter { now < $0.value && added[$0.key] == nil }.sorted {
            ($0.value, $0.key) < ($1.value, $1.key)
        }
        // Those that are kept for longer are given with that time, so that it outlives a restart.
        let near = order[first...].filter { added[$0.id] == $0.until }.map {
            (id: $0.id, until: kept[$0.id] ?? $0.until)
        }
        return (far.map { (id: $0.key, until: $0.value) } + near).map {
            ($0.id, Self.lifetime - $0.until.seconds(since: now))
        }
    }

    mutating func add(_ stamp: RevokedStamp) {
        if stampBook.add(stamp) { changes += 1 }
    }

    /// The stamps of a message that are revoked, with the values that match.
    func matches(_ message: TaskMessage) -> [RevokedStamp] { stampBook.matches(message) }

    /// All of them are looked through only when one is to be forgotten, and then not again for some seconds: commands
    /// of tens of thousands of ids come here once for each.
    private mutating func forgetKept(at now: Instant) {
        guard let soonest = soonestKept, now >= soonest else { return }
        for (id, until) in kept where now >= until {
            kept[id] = nil
            if let root = RevokedWorkflow.root(of: id) { workflows[root] = added[id] }
        }
        soonestKept = kept.values.min().map { max($0, now.advanced(bySeconds: Self.pause)) }
    }

    private mutating func prune(at now: Instant) {
        while first < order.count {
            let (id, until) = order[first]
            let isCurrent = added[id] == until
            guard !isCurrent || added.count > Self.maxIDs || now >= until else { break }
            if isCurrent {
                added[id] = nil
                if let root = RevokedWorkflow.root(of: id) { workflows[root] = kept[id] }
            }
            first += 1
        }
        forgetKept(at: now)
        let present = order.count - first
        // Behind one that lives on there may be any number that were added again.
        if present > 2 * added.count + 1_000 {
            order = order[first...].filter { added[$0.id] == $0.until }
            first = 0
        } else if first > 1_000, first * 2 > order.count {
            order.removeFirst(first)
            first = 0
        }
    }
}
