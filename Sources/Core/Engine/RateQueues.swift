// Tasks that wait for their task's rate on this worker (celery-protocol.md §3.4): a bucket per task name, and the tasks
// that wait for its next token, in the order of arrival.
import CeleryWire
import TaskModel

struct RateQueues {
    enum Next {
        /// It has taken a token.
        case start(InFlight)
        /// The next token comes then.
        case due(inSeconds: Double)
        case nothingWaits
    }

    private struct Queue {
        var bucket: RateLimit
        var waiting: [InFlight] = []
    }

    /// Made when first needed.
    private var queues: [String: Queue] = [:]

    /// - Returns: whether it is the first in its queue: then nothing has armed a timer yet.
    mutating func append(_ item: InFlight, perSecond: Double) -> Bool {
        let name = item.message.name
        queues[name, default: Queue(bucket: RateLimit(perSecond: perSecond))].waiting.append(item)
        return queues[name]?.waiting.count == 1
    }

    mutating func next(task name: String, at now: Instant) -> Next {
        while let item = queues[name]?.waiting.first {
            guard item.isLimited else {
                queues[name]?.waiting.removeFirst()
                continue
            }
            let seconds = queues[name]?.bucket.take(at: now) ?? 0
            guard seconds == 0 else { return .due(inSeconds: seconds) }
            queues[name]?.waiting.removeFirst()
            return .start(item)
        }
        return .nothingWaits
    }

    /// The next one gets a new bucket.
    /// - Returns: tasks that waited for it, in order.
    mutating func remove(task name: String) -> [InFlight] {
        (queues.removeValue(forKey: name)?.waiting ?? []).filter(\.isLimited)
    }

    /// - Returns: the tasks that had a bucket.
    mutating func removeAll() -> [String] {
        defer { queues = [:] }
        return Array(queues.keys)
    }
}
