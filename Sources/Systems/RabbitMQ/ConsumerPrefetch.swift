// How many unsettled deliveries the broker lets us hold of one queue, and when the prefetch must be set again.
import TaskModel

/// Prefetch of a channel can be changed at any time; prefetch of a consumer holds from `basic.consume` on, so that
/// another one needs another consumer.
struct ConsumerPrefetch {
    enum Step: Equatable {
        case keep
        /// To be sent for the whole channel.
        case send(Int)
        /// The consumer is to end, and another to begin.
        case renew
    }

    /// What holds now; 0: nothing was sent.
    private(set) var inForce = 0
    private var highSince: Instant?
    private var heldSince: Instant?
    private var isLowered = false

    /// So many times what is wanted is too much, when it is so for longer than this, in seconds.
    private static let excess = 4
    static let patienceSeconds = 1.0

    /// Something may have to be done without anything else happening.
    var isWatching: Bool { highSince != nil || heldSince != nil }

    mutating func sent(_ count: Int) {
        if count < inForce { isLowered = true }
        inForce = count
        highSince = nil
    }

    mutating func wasLowered() -> Bool {
        defer { isLowered = false }
        return isLowered
    }

    /// The channel is gone.
    mutating func reset() { self = ConsumerPrefetch() }

    mutating func step(wanted: Int, isAdjustable: Bool, at now: Instant) -> Step {
        if isAdjustable { return wanted == inForce ? .keep : .send(wanted) }
        if wanted > inForce { return .renew }
        // A burst is over: what comes now would all be handed to us, and wait here while others have nothing to do.
        return Self.lasts(inForce >= wanted * Self.excess, &highSince, now) ? .renew : .keep
    }

    /// Much more is held than is wanted, and no more of it will come: what did not begin may go back.
    mutating func holdsTooMuch(_ held: Int, wanted: Int, at now: Instant) -> Bool {
        guard Self.lasts(held >= wanted * Self.excess, &heldSince, now), inForce < wanted * Self.excess else {
            return false
        }
        heldSince = now
        return true
    }

    private static func lasts(_ condition: Bool, _ since: inout Instant?, _ now: Instant) -> Bool {
        guard condition else {
            since = nil
            return false
        }
        guard let begin = since else {
            since = now
            return false
        }
        return now.seconds(since: begin) >= patienceSeconds
    }
}
