// What this process put onto the delay ladder, remembered until it comes down again.
//
// On the ladder messages of all queues lie together, and looking at them would count as a delivery: a quorum queue
// drops what was delivered too often. So the host that postpones a message keeps a copy of what events say of it.
import Ports
import TaskModel

struct PostponedMessages {
    /// Beyond these, further messages are not remembered: `scheduled` tells the ladder's depth all the same.
    static let maxEntries = 10_000
    static let maxBytes = 24 << 20
    /// Longer bodies are reported without their arguments.
    private static let longestBody = 16 << 10
    /// What an entry costs beside its message; roughly, as measured.
    private static let entryCost = 256

    private struct Entry {
        var due: WallTime
        var queue: String
        var root: String?
        var packed: PackedMessage

        var size: Int { packed.count + PostponedMessages.entryCost }
        var message: ScheduledMessage {
            ScheduledMessage(due: due, queue: queue, routingKey: queue, message: packed.message)
        }
    }

    /// By task id: an attempt takes the place of the one before it.
    private var entries: [String: Entry] = [:]
    private var bytes = 0
    /// None of them is due before.
    private var firstDue: WallTime?

    mutating func add(_ publication: Publication, at now: WallTime) {
        guard publication.delaySeconds >= 1, case .queue(let queue) = publication.destination,
            let id = publication.message.headers["id"]?.text
        else { return }
        var message = publication.message
        if message.body.count > Self.longestBody { message.body = [] }
        remove(id)
        if isFull { prune(at: now) }
        guard !isFull else { return }
        let root = message.headers["root_id"]?.text
        let entry = Entry(
            due: now.advanced(bySeconds: publication.delaySeconds), queue: queue.name,
            // Mostly the same text, which is then kept once.
            root: root == id ? id : root, packed: PackedMessage(message))
        entries[id] = entry
        bytes += entry.size
        firstDue = firstDue.map { min($0, entry.due) } ?? entry.due
    }

    private var isFull: Bool { entries.count >= Self.maxEntries || bytes >= Self.maxBytes }

    mutating func answer(_ question: ScheduledQuestion, at now: WallTime) -> ScheduledMessages {
        prune(at: now)
        var found = ScheduledMessages()
        let queues = Set(question.queues)
        let wanted = entries.filter { id, entry in
            if let ids = question.ids, !ids.contains(id), !(entry.root.map(ids.contains) ?? false) { return false }
            return queues.contains(entry.queue)
        }.map(\.value)
        for entry in wanted { found.counts[entry.queue, default: 0] += 1 }
        found.next = wanted.sorted { $0.due < $1.due }.prefix(question.limit).map(\.message)
        return found
    }

    private mutating func prune(at now: WallTime) {
        guard let first = firstDue, first <= now else { return }
        for (id, entry) in entries where entry.due <= now { remove(id) }
        firstDue = entries.values.lazy.map(\.due).min()
    }

    private mutating func remove(_ id: String) {
        if let gone = entries.removeValue(forKey: id) { bytes -= gone.size }
    }
}
