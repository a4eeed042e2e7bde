// Tasks that put themselves back into their queue again and again: each time they wait longer for it.
import TaskModel

struct Requeues {
    /// Ids known at a time.
    private static let maxIDs = 10_000
    private static let backoff = Backoff(initial: 0.05, max: 10)

    private var counts: [String: Int] = [:]

    /// So often until the operator is told, once for each task.
    static let worthSaying = 6
    private static let maxNames = 1_000
    private var told: Set<String> = []

    /// Seconds before this one is requeued: none the first time, then from 50 ms on, doubled each time.
    mutating func pause(for id: String) -> Double {
        if counts.count >= Self.maxIDs, counts[id] == nil { counts.removeAll() }
        let count = counts[id, default: 0]
        counts[id] = count + 1
        return count == 0 ? 0 : Self.backoff.step(count - 1)
    }

    /// Whether the operator is to hear of it now.
    mutating func isWorthSaying(_ id: String, of task: String) -> Bool {
        guard counts[id, default: 0] >= Self.worthSaying, told.count < Self.maxNames else { return false }
        return told.insert(task).inserted
    }

    /// It came to an end.
    mutating func forget(_ id: String) {
        if !counts.isEmpty { counts[id] = nil }
    }
}
