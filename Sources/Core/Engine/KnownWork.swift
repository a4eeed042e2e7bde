// What we know of messages that the broker may deliver again: they must not run twice.
import CeleryWire

/// By task id and attempt: what still runs though its delivery tag died with its link, and what was settled lately.
///
/// The second is needed because a broker may forget acknowledgements: RabbitMQ 3.10's classic queues write them late,
/// so after a SIGKILL it delivers again, marked as redelivered, what was acknowledged seconds before.
struct KnownWork {
    /// A retry, a restart or a replacement has the same id, so the attempt belongs to the name.
    struct Key: Hashable {
        let id: String
        let retries: Int
        var starts: Int
        let replacements: Int

        init(_ message: TaskMessage, retries: Int? = nil) {
            id = message.id
            self.retries = retries ?? message.retries
            starts = message.priorStarts
            replacements = message.replacedTaskNesting
        }

        /// The attempts of one id are few.
        func hash(into hasher: inout Hasher) { hasher.combine(id) }
    }

    /// Some megabytes at most; redeliveries come within minutes, so older ones may give way.
    static let maxSettled = 20_000

    private var running: [Key: InFlight] = [:]
    private var settled: Set<Key> = []
    /// A ring: the oldest is where the next one goes.
    private var order: [Key] = []
    private var next = 0
    private var requeues = Requeues()

    mutating func losesTag(_ task: InFlight) { running[Key(task.message)] = task }

    /// The run that this redelivery belongs to; it takes the new tag over.
    mutating func adopt(_ message: TaskMessage) -> InFlight? { running.removeValue(forKey: Key(message)) }

    /// It is recorded, and acknowledged if it had a tag.
    mutating func settles(_ task: InFlight) {
        let key = Key(task.message)
        if !running.isEmpty { running.removeValue(forKey: key) }
        requeues.forget(key.id)
        guard settled.insert(key).inserted else { return }
        if order.count < Self.maxSettled {
            order.append(key)
        } else {
            settled.remove(order[next])
            order[next] = key
            next = (next + 1) % Self.maxSettled
        }
    }

    /// It comes for the first time: what was settled under its name before (a client used its id again, a dead letter
    /// was sent again) says nothing of this one, should it be delivered again or retry.
    mutating func begins(_ message: TaskMessage) {
        guard !settled.isEmpty else { return }
        settled.remove(Key(message))
        settled.remove(Self.next(after: message))
    }

    /// It puts itself back into its queue.
    /// - Returns: seconds before it goes there.
    mutating func requeuePause(for id: String) -> Double { requeues.pause(for: id) }

    /// It does so again and again, and nobody was told of this task.
    mutating func isWorthSaying(requeuesOf id: String, of task: String) -> Bool { requeues.isWorthSaying(id, of: task) }

    /// It is given up or requeued: its redelivery is to run.
    mutating func forget(_ task: InFlight) {
        if !running.isEmpty { running.removeValue(forKey: Key(task.message)) }
    }

    /// Whether the attempt after this one is done: then this one is a copy that came late, and its RETRY would be
    /// written over the result.
    func isOvertaken(_ message: TaskMessage) -> Bool { settled.contains(Self.next(after: message)) }

    private static func next(after message: TaskMessage) -> Key {
        var key = Key(message, retries: message.retries + 1)
        key.starts = 0
        return key
    }

    /// Whether this redelivery is done already. Stays known: a redelivery may come more than once.
    func isSettled(_ message: TaskMessage) -> Bool { settled.contains(Key(message)) }
}
