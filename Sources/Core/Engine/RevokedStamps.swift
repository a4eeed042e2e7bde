// Stamps whose tasks must not run (celery-protocol.md §3.2).
import CeleryWire
import Ports
import TaskModel

/// Bounded in number: the oldest go first. Nothing else ends them, as in Celery.
struct RevokedStamps {
    /// Values of all names together.
    static let maxValues = 10_000
    /// Bytes of a name or a value; longer ones belong to no task.
    private static let longest = 1024

    private var values: [String: Set<String>] = [:]
    /// Oldest first; from `first` on.
    private var order: [(name: String, value: String)] = []
    private var first = 0

    init(_ stamps: [RevokedStamp] = []) {
        for stamp in stamps { add(stamp) }
    }

    var isEmpty: Bool { values.isEmpty }

    /// In the order of their names, values as they came.
    var list: [RevokedStamp] {
        var byName: [String: [String]] = [:]
        for (name, value) in order[first...] { byName[name, default: []].append(value) }
        return byName.sorted { $0.key < $1.key }.map { RevokedStamp(name: $0.key, values: $0.value) }
    }

    /// True when something is new.
    @discardableResult
    mutating func add(_ stamp: RevokedStamp) -> Bool {
        guard stamp.name.utf8.count <= Self.longest else { return false }
        var isNew = false
        for value in stamp.values where value.utf8.count <= Self.longest {
            guard values[stamp.name, default: []].insert(value).inserted else { continue }
            order.append((stamp.name, value))
            isNew = true
        }
        while order.count - first > Self.maxValues { dropOldest() }
        return isNew
    }

    /// The stamps of a message that are revoked, with the values that match.
    func matches(_ message: TaskMessage) -> [RevokedStamp] {
        guard !values.isEmpty, let names = message.stampedHeaders else { return [] }
        return Set(names).sorted().compactMap { name in
            guard let revoked = values[name], let value = message.stamps[name] else { return nil }
            let stamped: [FieldValue] = if case .array(let elements) = value { elements } else { [value] }
            let matching = stamped.compactMap(\.plainText).filter(revoked.contains)
            return matching.isEmpty ? nil : RevokedStamp(name: name, values: matching)
        }
    }

    private mutating func dropOldest() {
        let (name, value) = order[first]
        values[name]?.remove(value)
        if values[name]?.isEmpty ?? false { values[name] = nil }
        first += 1
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
