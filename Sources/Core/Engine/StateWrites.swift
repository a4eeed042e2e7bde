// Intermediate states (STARTED, PROGRESS …): one is stored at a time, so that they never overtake each other or the
// outcome.
import Ports

/// A task that reports faster than the store takes it skips states, not the store's time: of those that come while one
/// is being stored the newest wins.
struct StateWrites {
    private(set) var isStoring = false
    private var next: ResultRecord?

    /// - Returns: what is to be stored now; nil: it waits.
    mutating func add(_ record: ResultRecord) -> ResultRecord? {
        guard !isStoring else {
            next = record
            return nil
        }
        isStoring = true
        return record
    }

    /// The one under way is stored, or could not be.
    /// - Returns: the next one to be stored.
    mutating func stored() -> ResultRecord? {
        defer { next = nil }
        isStoring = next != nil
        return next
    }

    /// The outcome is known: no further state is stored.
    mutating func end() { next = nil }
}
