// What is due later, put together from workers' replies and the broker's answer. Pure.
import CeleryWire
import Output
package import Ports
package import TaskModel
package import TaskhostJSON

package struct LaterList {
    struct Entry {
        var id: String
        var name: String
        var args: String
        var kwargs: String
        var queue: String
        /// When it is to run; nil: unknown.
        var eta: WallTime?
    }

    /// How many are known to wait, by queue.
    private(set) var counts: [String: Int] = [:]
    /// The soonest of them.
    private(set) var next: [Entry] = []
    /// So many more wait at the broker, for unknown queues.
    private(set) var elsewhere = 0

    /// - Parameters:
    ///   - replies: of workers to `later`: what they hold until it is due, and what they have put into the broker.
    ///   - broker: what it tells itself.
    package init(queues: [String], replies: [JSONMember], broker: ScheduledMessages, limit: Int) {
        for queue in queues { counts[queue] = broker.counts[queue] ?? 0 }
        var entries: [String: Entry] = [:]
        var postponed = 0
        for worker in replies.map(\.value) {
            for (queue, number) in Self.numbers(worker["held"]) { counts[queue, default: 0] += number }
            // A broker that counts by queue has counted these already.
            if broker.inAllQueues != nil {
                for (queue, number) in Self.numbers(worker["broker"]) {
                    counts[queue, default: 0] += number
                    postponed += number
                }
            }
            for entry in (worker["next"]?.elements ?? []).map(Entry.init(reply:)) { entries[entry.id] = entry }
        }
        for message in broker.next {
            let entry = Entry(message)
            entries[entry.id] = entry
        }
        counts = counts.filter { queues.contains($0.key) }
        elsewhere = max(0, (broker.inAllQueues ?? 0) - postponed)
        let sorted = entries.values.filter { queues.contains($0.queue) }.sorted {
            ($0.eta?.microseconds ?? .max, $0.id) < ($1.eta?.microseconds ?? .max, $1.id)
        }
        next = Array(sorted.prefix(limit))
    }

    private static func numbers(_ counts: JSON?) -> [(String, Int)] {
        (counts?.members ?? []).map { ($0.key, Int($0.value.integer ?? 0)) }
    }

    package var json: JSON {
        let entries = next.map { entry -> JSON in
            [
                "id": .string(entry.id), "name": .string(entry.name), "queue": .string(entry.queue),
                "eta": entry.eta.map { .string(ISO8601.format($0)) } ?? .null, "args": .string(entry.args),
                "kwargs": .string(entry.kwargs),
            ]
        }
        let queues = counts.sorted { $0.key < $1.key }.map { JSONMember(key: $0.key, value: .int(Int64($0.value))) }
        return ["queues": .object(queues), "elsewhere": .int(Int64(elsewhere)), "next": .array(entries)]
    }

    package func lines(at now: WallTime) -> [String] {
        var lines = TextTable.lines(
            [["QUEUE", "LATER"]] + counts.sorted { $0.key < $1.key }.map { [$0.key, String($0.value)] })
        if elsewhere > 0 {
            lines.append("and \(elsewhere) more in the broker's delay queues: it does not tell for which queue")
        }
        guard !next.isEmpty else { return lines }
        let rows = next.map { entry in
            [
                entry.eta.map { ISO8601.format($0) } ?? "?",
                entry.eta.map { DurationText.age(max(0, $0.seconds(since: now))) } ?? "?", entry.call, entry.id,
                entry.queue,
            ]
        }
        return lines + [""] + TextTable.lines([["DUE", "IN", "TASK", "ID", "QUEUE"]] + rows)
    }
}

extension LaterList.Entry {
    init(reply: JSON) {
        self.init(
            id: reply["id"]?.text ?? "?", name: reply["name"]?.text ?? "?", args: reply["args"]?.text ?? "",
            kwargs: reply["kwargs"]?.text ?? "", queue: reply["queue"]?.text ?? "?",
            eta: reply["eta"]?.text.flatMap { ISO8601.parse($0) })
    }

    /// Of its headers: nothing else is needed here.
    init(_ message: ScheduledMessage) {
        let headers = message.delivery.message.headers
        self.init(
            id: headers["id"]?.text ?? "?", name: headers["shadow"]?.text ?? headers["task"]?.text ?? "?",
            args: headers["argsrepr"]?.text ?? "", kwargs: headers["kwargsrepr"]?.text ?? "",
            queue: message.delivery.queue, eta: headers["eta"]?.text.flatMap { ISO8601.parse($0) } ?? message.due)
    }

    /// `report(3, …)`, cut short.
    var call: String {
        let named = ["", "{}"].contains(kwargs) ? "" : " " + kwargs
        let text = name + (["", "[]"].contains(args) ? "()" : args) + named
        return text.count > 60 ? text.prefix(59) + "…" : text
    }
}
