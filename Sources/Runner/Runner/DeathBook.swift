// When a bundle's zygotes died, and how long its next one has to wait for it.
import TaskModel

/// Deaths are counted per time, not by how young the dead were: a loop of crashes is slowed however long each round
/// takes.
struct DeathBook {
    static let windowSeconds = 60.0
    /// So many within the window cost no wait.
    static let free = 2
    private static let deathBackoff = Backoff(initial: 1, max: 30)
    private static let startBackoff = Backoff(initial: 0.25, max: 30)

    private var times: [UInt64] = []
    /// Of attempts to start one that came to nothing, in a row.
    private var starts = startBackoff

    /// - Parameter now: monotonic nanoseconds.
    /// - Returns: seconds to wait before the next start: none at first, then 1, doubled with each death in the window.
    mutating func died(at now: UInt64) -> Double {
        let window = UInt64(Self.windowSeconds * 1e9)
        times.removeAll { now > $0 && now - $0 > window }
        times.append(now)
        // The oldest beyond the longest wait change nothing.
        if times.count > 16 { times.removeFirst() }
        return times.count <= Self.free ? 0 : Self.deathBackoff.step(times.count - Self.free - 1)
    }

    /// A start came to nothing.
    mutating func failed() -> Double { starts.next() }

    mutating func served() { starts.reset() }
}
