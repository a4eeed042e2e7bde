// Lamport's clock: orders events of many nodes without a common time.

/// One of them may be shared: what is sent as an event and what is answered to a command count together.
final class LamportClock {
    private(set) var value: UInt64 = 0

    /// An event of our own.
    @discardableResult
    func forward() -> UInt64 {
        value &+= 1
        return value
    }

    /// An event that carries another node's clock. A clock near the end of its range is not believed.
    @discardableResult
    func adjust(to other: UInt64) -> UInt64 {
        value = max(value, other <= UInt64(Int64.max) / 2 ? other : 0) &+ 1
        return value
    }
}
