// Celery's delay ladder: 28 queues whose time to live are powers of two seconds (celery-protocol.md §2.4).
import TaskModel

enum DelayLadder {
    static let top = 27
    static let delivery = "celery_delayed_delivery"
    static let longestSeconds = (1 << 28) - 1

    static func level(_ number: Int) -> String { "celery_delayed_\(number)" }
    /// Where clients enter, and every delay may.
    static var entry: String { level(top) }
    /// Where a delay of at least a second enters at the same place as if it came from the top. Each level that only
    /// passes on is a look-up in a topic exchange: of an hour there are 16 of them, and they cost RabbitMQ more than
    /// all the rest.
    static func entry(seconds: Int) -> String { level(Int.bitWidth - 1 - max(1, seconds).leadingZeroBitCount) }

    /// The binary digits of the delay, most significant first, then where to in the end.
    static func routingKey(seconds: Int, to key: String) -> String {
        var text = ""
        for bit in stride(from: top, through: 0, by: -1) { text += seconds >> bit & 1 == 1 ? "1." : "0." }
        return text + key
    }

    /// Waits on this level: digit 1.
    static func waitKey(_ level: Int) -> String { String(repeating: "*.", count: top - level) + "1.#" }
    /// Passes on to the next level: digit 0.
    static func passKey(_ level: Int) -> String { String(repeating: "*.", count: top - level) + "0.#" }
    static func exitKey(_ key: String) -> String { key.hasPrefix("#") ? key : "#.\(key)" }

    static func next(after level: Int) -> String { level == 0 ? delivery : self.level(level - 1) }

    static func queueArguments(_ level: Int, kind: QueueDeclaration.Kind) -> FieldTable {
        var arguments: FieldTable = [
            "x-queue-type": .string(kind.rawValue),
            "x-overflow": .string("reject-publish"),
            "x-message-ttl": .int(Int64(1 << level) * 1000),
            "x-dead-letter-exchange": .string(next(after: level)),
        ]
        if kind == .quorum { arguments["x-dead-letter-strategy"] = .string("at-least-once") }
        return arguments
    }
}
