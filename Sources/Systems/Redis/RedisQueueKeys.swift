// What the keys of a queue are called (celery-protocol.md §7.1), and where an exchange leads.

struct RedisQueueKeys {
    /// Between a queue's name and its step, and between the fields of a binding.
    static let separator = "\u{06}\u{16}"
    /// One list each; the first is served first.
    static let steps = [0, 3, 6, 9]

    /// Before all keys, with no separator added.
    let prefix: String

    /// The largest step that is not above the priority.
    static func step(_ priority: Int64?) -> Int { steps.last { $0 <= max(0, priority ?? 0) } ?? 0 }

    var unacked: String { prefix + "unacked" }
    var index: String { prefix + "unacked_index" }
    var mutex: String { prefix + "unacked_mutex" }
    /// Ours: host → when its lease ends.
    var hosts: String { prefix + "taskhost-hosts" }
    /// Ours: host → the numbers of its tags that have started.
    var starts: String { prefix + "taskhost-starts" }
    /// Ours: host → the queues it serves, a separator before and after each.
    var served: String { prefix + "taskhost-queues" }
    static func served(_ queues: [String]) -> String { queues.reduce(into: separator) { $0 += $1 + separator } }
    /// Ours: says that others took over what this host held.
    func lost(_ host: String) -> String { prefix + "taskhost-lost:" + host }
    /// Ours: messages that are not due yet, by the time they are.
    func delayed(_ queue: String) -> String { prefix + "taskhost-delayed:" + queue }

    /// Ours: the host that last reported what is delayed.
    func delayedReporter(_ queue: String) -> String { prefix + "taskhost-delayed-reporter:" + queue }

    func list(_ queue: String, step: Int) -> String {
        prefix + queue + (step == 0 ? "" : Self.separator + String(step))
    }

    func lists(_ queue: String) -> [String] { Self.steps.map { list(queue, step: $0) } }

    func bindings(_ exchange: String) -> String { prefix + "_kombu.binding." + exchange }
    /// kombu's: exchange → until when its bindings are kept, in milliseconds since 1970.
    var bindingDeadlines: String { prefix + "_kombu.binding_deadlines" }
    func permanentBindings(_ exchange: String) -> String { prefix + "_kombu.binding_permanent." + exchange }

    static func binding(routingKey: String, queue: String) -> String {
        [routingKey, "", queue].joined(separator: separator)
    }

    /// The queues that a message with this key reaches through these bindings.
    static func queues(_ bindings: [String], routingKey: String) -> [String] {
        var found: [String] = []
        for binding in bindings {
            let fields = binding.bytes.split(separator: [0x06, 0x16], omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            guard fields.count == 3 else { continue }
            // Only topic exchanges leave a pattern; kombu makes it of the key, and so do we.
            let matches =
                fields[1].isEmpty
                ? fields[0] == routingKey : matches(Array(fields[0].utf8)[...], Array(routingKey.utf8)[...])
            if matches, !found.contains(fields[2]) { found.append(fields[2]) }
        }
        return found
    }

    /// As kombu has it: `*` is one word, `#` anything at all; unlike AMQP, `a.#.b` does not match `a.b`.
    private static func matches(_ pattern: ArraySlice<UInt8>, _ key: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return key.isEmpty }
        let rest = pattern.dropFirst()
        switch first {
        case UInt8(ascii: "#"):
            return (key.startIndex...key.endIndex).contains { matches(rest, key[$0...]) }
        case UInt8(ascii: "*"):
            let word = key.prefix { $0 != UInt8(ascii: ".") }
            return !word.isEmpty
                && ((word.startIndex + 1)...word.endIndex).contains { matches(rest, key[$0...]) }
        default:
            return key.first == first && matches(rest, key.dropFirst())
        }
    }
}
