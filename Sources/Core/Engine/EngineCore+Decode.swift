// Decode: long bodies beside the loop. What follows in the same queue waits meanwhile, so that the order stays.
import CeleryWire
import TaskModel

/// Deliveries whose message is not decoded yet, by queue, in the order in which they came. The first of each queue is
/// being decoded.
struct Decoding {
    struct Entry {
        let delivery: Delivery
        /// Its link has gone: it comes again, and only what is known of it counts.
        var isLost = false
    }

    private var queues: [String: [Entry]] = [:]

    func holds(_ queue: String) -> Bool { queues[queue] != nil }

    mutating func append(_ delivery: Delivery) { queues[delivery.queue, default: []].append(Entry(delivery: delivery)) }

    func first(_ queue: String) -> Delivery? { queues[queue]?.first?.delivery }

    mutating func takeFirst(_ queue: String) -> Entry? {
        let entry = queues[queue]?.removeFirst()
        if queues[queue]?.isEmpty ?? false { queues[queue] = nil }
        return entry
    }

    /// - Parameter queue: nil: all.
    mutating func lose(_ queue: String?) {
        for name in queues.keys where queue == nil || name == queue {
            for index in queues[name, default: []].indices { queues[name]?[index].isLost = true }
        }
    }

    mutating func takeAll() -> [Entry] {
        defer { queues = [:] }
        return queues.sorted { $0.key < $1.key }.flatMap(\.value)
    }
}

extension EngineCore {
    mutating func take(_ delivery: Delivery, _ actions: inout [EngineAction]) {
        let mustWait = intake.isDecoding(delivery.queue)
        guard life.stopping == nil, delivery.unreadBytes == nil, mustWait || takesLong(delivery) else {
            return take(delivery, decoder.decoded(delivery, now: now.wall), &actions)
        }
        intake.beginDecoding(delivery)
        if !mustWait { actions.append(.decode(delivery)) }
    }

    private func takesLong(_ delivery: Delivery) -> Bool {
        decoder.takesLong(delivery.message, bytes: options.longBytes)
    }

    /// Those behind it that are short come with it.
    mutating func decoded(
        _ delivery: Delivery, _ message: Result<TaskMessage, RefusedMessage>, _ actions: inout [EngineAction]
    ) {
        // Not so if we stop.
        guard intake.nextToDecode(delivery.queue)?.tag == delivery.tag else { return }
        takeFirst(of: delivery.queue, message, &actions)
        while let next = intake.nextToDecode(delivery.queue) {
            guard !takesLong(next) else { return actions.append(.decode(next)) }
            takeFirst(of: delivery.queue, decoder.decoded(next, now: now.wall), &actions)
        }
    }

    private mutating func takeFirst(
        of queue: String, _ message: Result<TaskMessage, RefusedMessage>, _ actions: inout [EngineAction]
    ) {
        guard let entry = intake.endDecoding(queue) else { return }
        guard entry.isLost else { return take(entry.delivery, message, &actions) }
        // It comes again as redelivered, and must not be taken for an earlier task of its id.
        if !entry.delivery.redelivered, case .success(let message) = message { known.begins(message) }
    }

    /// The worker stops.
    mutating func requeueDecoding(_ actions: inout [EngineAction]) {
        for entry in intake.endAllDecoding() where !entry.isLost {
            actions.append(.reject(entry.delivery.tag, requeue: true))
        }
    }
}
