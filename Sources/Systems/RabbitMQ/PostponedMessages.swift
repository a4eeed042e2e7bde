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
    /// What a header costs beside its name and text, and an entry beside its headers and body; roughly, as measured.
    private static let headerCost = 112
    private static let entryCost = 512

    private struct Entry {
        var message: ScheduledMessage
        var root: String?
        var size: Int
    }

    /// By task id: an attempt takes the place of the one before it.
    private var entries: [String: Entry] = [:]
    private var bytes = 0

    mutating func add(_ publication: Publication, at now: WallTime) {
        guard publication.delaySeconds >= 1, case .queue(let queue) = publication.destination,
            let id = publication.message.headers["id"]?.text
        else { return }
        var message = publication.message
        if message.body.count > Self.longestBody { message.body = [] }
        let headers = message.headers.fields.reduce(0) {
            $0 + $1.key.utf8.count + ($1.value.text?.utf8.count ?? 16) + Self.headerCost
        }
        let size = message.body.count + headers + Self.entryCost
        remove(id)
        if entries.count >= Self.maxEntries || bytes + size > Self.maxBytes { prune(at: now) }
        guard entries.count < Self.maxEntries, bytes + size <= Self.maxBytes else { return }
        let due = now.advanced(bySeconds: publication.delaySeconds)
        entries[id] = Entry(
            message: ScheduledMessage(due: due, queue: queue.name, routingKey: queue.name, message: message),
            root: message.headers["root_id"]?.text, size: size)
        bytes += size
    }

    mutating func answer(_ question: ScheduledQuestion, at now: WallTime) -> ScheduledMessages {
        prune(at: now)
        var found = ScheduledMessages()
        let queues = Set(question.queues)
        let wanted = entries.filter { id, entry in
            if let ids = question.ids, !ids.contains(id), !(entry.root.map(ids.contains) ?? false) { return false }
            return queues.contains(entry.message.delivery.queue)
        }.map(\.value.message)
        for message in wanted { found.counts[message.delivery.queue, default: 0] += 1 }
        found.next = Array(wanted.sorted { $0.due < $1.due }.prefix(question.limit))
        return found
    }

    private mutating func prune(at now: WallTime) {
        for (id, entry) in entries where entry.message.due <= now { remove(id) }
    }

    private mutating func remove(_ id: String) {
        if let gone = entries.removeValue(forKey: id) { bytes -= gone.size }
    }
}
