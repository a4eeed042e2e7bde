// Outcomes that wait to be recorded: how many there are, and how much credit they get of their own.
import Ports
import TaskModel

/// A settlement that waits (a target queue is full, the store asks for another password) holds its message. It must not
/// use up the credit of its queue, or a few such messages keep every other task from being run; so what waits gets
/// credit of its own, up to a bound in number and bytes: what is beyond it stays with the broker.
struct Backlog {
    /// Some hundreds of such messages come from one wrong route or one full queue before an operator looks; a thousand
    /// cost some megabytes.
    static let maxMessages = 1_000
    static let maxBytes = 64 << 20
    /// Longer than a settlement takes when all is well, seconds.
    static let patience = 0.25

    private struct Entry {
        var queue: String
        var bytes: Int
        var since: Instant
    }

    private var entries: [InFlightID: Entry] = [:]
    private var counts: [String: Int] = [:]
    private var bytes = 0
    private var failing: Set<InFlightID> = []
    /// Messages of each queue wanted while all is well, since so many were being recorded when it was looked at lately.
    private var steady: [String: Int] = [:]
    /// One of them has failed, or has waited for longer than it should.
    private(set) var isBehind = false
    private var loggedFull = false
    private var lastFailure = ""
    /// Why the store cannot be reached, in words; nil: it can.
    private var outage: String?
    /// What failed last, in words. A store that cannot be reached answers nothing, and so fails nothing.
    var reason: String { lastFailure.isEmpty ? outage ?? "no answer" : lastFailure }

    var isEmpty: Bool { entries.isEmpty }
    /// While all is well: none.
    var waiting: Int { isBehind ? entries.count : 0 }
    var isFull: Bool { isBehind && (entries.count >= Self.maxMessages || bytes >= Self.maxBytes) }

    /// - Returns: whether the credit of its queue changes with it.
    mutating func begins(_ item: InFlight, at now: Instant) -> Bool {
        let size = item.delivery.message.body.count + (item.settling?.size ?? 0)
        if let known = entries[item.id] {
            bytes += size - known.bytes
            entries[item.id]?.bytes = size
            return false
        }
        let queue = item.delivery.queue
        entries[item.id] = Entry(queue: queue, bytes: size, since: now)
        counts[queue, default: 0] += 1
        bytes += size
        return isBehind && changesCredit(counts[queue] ?? 0)
    }

    mutating func ends(_ id: InFlightID) -> Bool {
        guard !entries.isEmpty, let entry = entries.removeValue(forKey: id) else { return false }
        bytes -= entry.bytes
        failing.remove(id)
        let left = (counts[entry.queue] ?? 1) - 1
        counts[entry.queue] = left > 0 ? left : nil
        return isBehind && changesCredit(left)
    }

    /// - Returns: whether credit begins to follow what waits.
    mutating func failed(_ id: InFlightID, _ failure: String) -> Bool {
        guard entries[id] != nil else { return false }
        failing.insert(id)
        lastFailure = failure
        defer { isBehind = true }
        return !isBehind
    }

    mutating func storeDown(_ reason: String) { outage = reason }

    mutating func storeUp() { outage = nil }

    /// To be called every so often.
    /// - Returns: whether that changed whether we are behind, or what is wanted while we are not.
    mutating func look(at now: Instant) -> Bool {
        let oldest = entries.values.reduce(0) { max($0, now.seconds(since: $1.since)) }
        let was = isBehind
        isBehind = !failing.isEmpty || oldest > Self.patience
        if !isBehind { lastFailure = "" }
        let isSteadyChanged = lookAtSteady()
        return was != isBehind || isSteadyChanged
    }

    /// A store that takes a tenth of a second to confirm is well, and holds all that its queue's credit gives: too little
    /// came then for the rate, and so the credit, ever to grow. Up at once, and in steps of two, as quorum queues need
    /// another consumer for each change; down slowly, since batches come and go.
    private mutating func lookAtSteady() -> Bool {
        let old = steady
        for queue in Set(counts.keys).union(old.keys) {
            let (count, before) = (counts[queue] ?? 0, old[queue] ?? 0)
            var wanted = before
            if count > before, bytes < Self.maxBytes {
                wanted = Self.leastStep
                while wanted < min(count, Self.maxMessages) { wanted *= 2 }
            } else if count * 4 <= before {
                wanted = before / 2
            }
            steady[queue] = wanted < Self.leastStep ? nil : wanted
        }
        return steady != old
    }

    private static let leastStep = 8

    /// Messages of this queue wanted for what waits, beyond the `usual` credit.
    func allowance(_ queue: String, usual: Int) -> Int {
        guard isBehind, let count = counts[queue] else { return steady[queue] ?? 0 }
        // Used up: what is held may stay, and nothing comes in addition.
        return isFull ? max(0, count - usual) : Self.rounded(count)
    }

    enum Change {
        case full, drained
    }

    /// Once when it is full, and once when it is not any more.
    mutating func change() -> Change? {
        if isFull, !loggedFull {
            loggedFull = true
            return .full
        }
        if loggedFull, waiting < Self.maxMessages * 9 / 10, !isFull {
            loggedFull = false
            return .drained
        }
        return nil
    }

    mutating func removeAll() { self = Backlog() }

    /// Credit changes in steps: each change is a frame to the broker.
    private static func rounded(_ count: Int) -> Int { (count + 7) / 8 * 8 }

    private func changesCredit(_ count: Int) -> Bool {
        count % 8 <= 1 || entries.count == Self.maxMessages || entries.count == Self.maxMessages - 1
    }
}

extension Step {
    /// Roughly, in bytes, of what it holds.
    var size: Int {
        switch self {
        case .store(let record): record.meta.count
        case .publish(let publication, _): publication.message.body.count
        case .part(let part, _): part.value.count
        default: 0
        }
    }
}
