// What the columns of the table `message` hold, and the notices of what was put there.
import Ports
import SQLRows
import TaskModel

/// Where a message stands, as the column `state` says. Statements name the numbers: partial indexes need them so.
enum MessageState {
    static let ready: Int32 = 0
    static let delayed: Int32 = 1
    static let dead: Int32 = 3
}

enum MessageBounds {
    /// Of a queue's name: a key of an index.
    static let queueBytes = 1_000
    /// A hundred years.
    static let delaySeconds = 3_155_760_000
}

/// What NOTIFY says of messages, in the transaction that put them there: what there is, and the queue.
enum MessageNotice {
    static let channel = "taskhost"
    static let ready = "ready:"
    static let later = "later:"
}

/// A message that is about to be written.
struct NewMessage {
    var queue: String
    var state: Int32
    /// Seconds, ≥ 0.
    var delay: Double
    var priority: Int32
    var name: String?
    var root: String?
    var properties: String
    var headers: String
    var body: [UInt8]
    /// Only as long as this message is held by that host.
    var claim: HeldMessage?

    /// - Throws: permanently, when the columns cannot hold it.
    init(queue: String, isDead: Bool = false, delaySeconds: Double = 0, message: WireMessage) throws(BrokerFailure) {
        let bytes = queue.utf8
        guard 1...MessageBounds.queueBytes ~= bytes.count, !bytes.contains(0) else {
            throw BrokerFailure(
                .unsupported,
                "The name of the queue is not 1 to \(MessageBounds.queueBytes) bytes without a zero byte",
                fix: "Name another queue")
        }
        self.queue = queue
        delay = isDead ? 0 : min(max(0, delaySeconds), Double(MessageBounds.delaySeconds))
        state = isDead ? MessageState.dead : delay > 0 ? MessageState.delayed : MessageState.ready
        priority = Int32(message.properties.priority ?? 0)
        name = Self.column(message.headers["id"])
        root = Self.column(message.headers["root_id"])
        properties = FieldJSON.text(message.properties)
        headers = FieldJSON.text(message.headers)
        body = message.body
    }

    var bytes: Int { body.count + headers.utf8.count + 256 }

    /// What NOTIFY says of it; nil: no host waits for it.
    var notice: String? {
        switch state {
        case MessageState.ready: MessageNotice.ready + queue
        case MessageState.delayed: MessageNotice.later + queue
        default: nil
        }
    }

    /// A text in PostgreSQL has no zero byte.
    private static func column(_ value: FieldValue?) -> String? {
        guard let text = value?.text, !text.utf8.contains(0) else { return nil }
        return text
    }
}

/// That a host holds a message.
struct HeldMessage: Sendable, Hashable {
    var id: Int64
    var host: Int64
}

/// A message as it was read.
struct StoredMessage {
    var id: Int64
    var priority: Int32
    var deliveries: Int32
    var lostStarts: Int32
    var name: String?
    var queue: String
    var message: WireMessage
    /// Microseconds since 1970.
    var due: WallTime?

    static let columns = """
        id, priority::int4, deliveries, lost_starts, name, queue, properties, headers, body, due
        """

    /// nil: another answer than `columns` ask for.
    init?(_ cells: [[UInt8]?]) {
        guard cells.count == 10, let id: Int64 = cells.integer(0) else { return nil }
        self.id = id
        priority = cells.integer(1) ?? 0
        deliveries = cells.integer(2) ?? 0
        lostStarts = cells.integer(3) ?? 0
        name = cells.text(4)
        queue = cells.text(5) ?? ""
        message = FieldJSON.message(
            properties: cells.text(6) ?? "", headers: cells.text(7) ?? "", body: cells[8] ?? [])
        due = cells[9].flatMap(BinaryValue.time)
    }

    var bytes: Int { message.body.count }
    var deadLetterID: String { name ?? "message-\(id)" }
}
