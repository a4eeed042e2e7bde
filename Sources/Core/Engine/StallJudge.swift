// Whether the broker keeps back what it has: messages are ready, we would take them, and none comes.
import TaskModel

/// Pure: it gets what was seen, and when.
struct StallJudge {
    enum Finding: Equatable {
        case nothingNew
        case stalled
        /// It has been going on for as long again: recreate the consumers.
        case goesOn
        case healed
    }

    /// Seconds that it may take.
    let patience: Double
    private var suspectSince: Instant?
    private(set) var isStalled = false

    init(patience: Double) { self.patience = patience }

    /// - Parameter ready: messages of queues that we would take from. None has come since the look before.
    mutating func look(ready: Int, at now: Instant) -> Finding {
        guard ready > 0 else { return allWell() }
        guard let since = suspectSince else {
            suspectSince = now
            return .nothingNew
        }
        let elapsed = now.seconds(since: since)
        if elapsed >= patience, !isStalled {
            isStalled = true
            return .stalled
        }
        if elapsed >= 2 * patience {
            suspectSince = now
            return .goesOn
        }
        return .nothingNew
    }

    /// A message came, or nothing is left that could, or we would not take it.
    mutating func allWell() -> Finding {
        suspectSince = nil
        defer { isStalled = false }
        return isStalled ? .healed : .nothingNew
    }

    /// It cannot be known: the link is down.
    mutating func forget() { suspectSince = nil }
}
