// Work whose delivery tag died with its link: when the broker delivers it again, it must not run twice.
import CeleryWire

/// Knows, by task id and attempt, what still runs and what was recorded since the link broke.
struct Orphans {
    /// A retry or a restart has the same id, so the attempt belongs to the name.
    struct Key: Hashable {
        let id: String
        let retries: Int
        let starts: Int

        init(_ message: TaskMessage) {
            id = message.id
            retries = message.retries
            starts = message.priorStarts
        }
    }

    /// Redeliveries come within minutes; older ones give way.
    private static let mostRecorded = 10_000

    private var running: [Key: Held] = [:]
    private var recorded: Set<Key> = []
    private var recordedOrder: [Key] = []

    var isEmpty: Bool { running.isEmpty && recorded.isEmpty }

    mutating func add(_ held: Held) { running[Key(held.message)] = held }

    /// The run that this redelivery belongs to; it takes the new tag over.
    mutating func adopt(_ message: TaskMessage) -> Held? { running.removeValue(forKey: Key(message)) }

    /// The orphan came to its end before it was delivered again.
    mutating func recordedWithoutTag(_ held: Held) {
        let key = Key(held.message)
        guard running.removeValue(forKey: key) != nil, recorded.insert(key).inserted else { return }
        recordedOrder.append(key)
        if recordedOrder.count > Self.mostRecorded { recorded.remove(recordedOrder.removeFirst()) }
    }

    mutating func forget(_ held: Held) { running.removeValue(forKey: Key(held.message)) }

    /// Whether this redelivery is done already. Stays known: a redelivery may come more than once.
    func isRecorded(_ message: TaskMessage) -> Bool { recorded.contains(Key(message)) }
}
