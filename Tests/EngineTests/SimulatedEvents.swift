// What the simulated world has still to do, in the order of time.

struct SimulatedEvents {
    private typealias Event = (at: UInt64, what: () -> Void)

    /// The latest first: the next one is taken from the end.
    private var events: [Event] = []

    var isEmpty: Bool { events.isEmpty }
    var nextAt: UInt64? { events.last?.at }

    /// - Parameter at: nanoseconds; of those for one instant the one that was added first comes first.
    mutating func add(at: UInt64, _ what: @escaping () -> Void) {
        var low = 0
        var high = events.count
        while low < high {
            let middle = (low + high) / 2
            if events[middle].at > at { low = middle + 1 } else { high = middle }
        }
        events.insert((at, what), at: low)
    }

    mutating func next() -> (at: UInt64, what: () -> Void)? { events.popLast() }
}
