// Which tasks must not run any more: by id, and by stamp (celery-wire.md §3.2).
import CeleryWire
import Ports
import TaskModel

/// Bounded, as what other workers tell has no end.
struct Revocations {
    static let most = 50_000
    /// Seconds until an id is forgotten.
    static let lifetime = 10_800.0

    /// When each is forgotten: a moment still to come, which the monotonic clock of a machine just started has, too.
    private var added: [String: Instant] = [:]
    /// Oldest first; ids that were forgotten or added again are passed over.
    private var order: [(id: String, until: Instant)] = []
    private var first = 0
    private(set) var stamps: [RevokedStamp] = []
    /// Goes up with every addition.
    private(set) var changes = 0

    var isEmpty: Bool { added.isEmpty && stamps.isEmpty }

    /// - Parameter age: seconds since it was revoked.
    mutating func add(_ id: String, at now: Instant, age: Double = 0) {
        changes += 1
        let until = now.advanced(bySeconds: Self.lifetime - max(0, age))
        added[id] = until
        order.append((id, until))
        prune(at: now)
    }

    func contains(_ id: String, at now: Instant) -> Bool {
        guard let until = added[id] else { return false }
        return now < until
    }

    /// Oldest first.
    mutating func ids(at now: Instant) -> [String] { aged(at: now).map(\.id) }

    /// Oldest first, with the seconds since each was revoked.
    mutating func aged(at now: Instant) -> [(id: String, age: Double)] {
        prune(at: now)
        return order[first...].filter { added[$0.id] == $0.until }.map {
            ($0.id, Self.lifetime - $0.until.seconds(since: now))
        }
    }

    mutating func add(_ stamp: RevokedStamp) {
        changes += 1
        guard let index = stamps.firstIndex(where: { $0.name == stamp.name }) else { return stamps.append(stamp) }
        for value in stamp.values where !stamps[index].values.contains(value) { stamps[index].values.append(value) }
    }

    /// The stamps of a message that are revoked, with the values that match.
    func matches(_ message: TaskMessage) -> [RevokedStamp] { Self.matches(message, among: stamps) }

    static func matches(_ message: TaskMessage, among stamps: [RevokedStamp]) -> [RevokedStamp] {
        guard !stamps.isEmpty, let names = message.stampedHeaders else { return [] }
        return stamps.compactMap { stamp in
            guard names.contains(stamp.name), let value = message.stamps[stamp.name] else { return nil }
            let values: [FieldValue] = if case .array(let elements) = value { elements } else { [value] }
            let matching = values.compactMap(\.plainText).filter(stamp.values.contains)
            return matching.isEmpty ? nil : RevokedStamp(name: stamp.name, values: matching)
        }
    }

    private mutating func prune(at now: Instant) {
        while first < order.count {
            let (id, until) = order[first]
            let isCurrent = added[id] == until
            guard !isCurrent || added.count > Self.most || now >= until else { break }
            if isCurrent { added[id] = nil }
            first += 1
        }
        if first > 1_000, first * 2 > order.count {
            order.removeFirst(first)
            first = 0
        }
    }
}

extension FieldValue {
    /// A stamp's value as commands name it.
    fileprivate var plainText: String? {
        switch self {
        case .int(let number): String(number)
        case .double(let number): PythonRepr.repr(number)
        case .bool(let flag): flag ? "True" : "False"
        default: text
        }
    }
}
