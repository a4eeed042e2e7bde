// How many unsettled deliveries we want to hold per queue.
import Ports
import TaskModel

/// Credit follows free slots and the present rate: enough that no slot waits for the broker, no more than
/// `lookAheadSeconds` of work, so that a message of higher priority never waits behind a long prefetch.
struct Credit {
    /// The rate is looked at so often, seconds.
    static let interval = 0.1

    private var slots: Int
    private let seconds: Double
    private let options: EngineOptions
    private var finished = 0
    private var rate = 0.0
    /// Messages wanted beyond the slots.
    private(set) var lookAhead: Int

    init(options: EngineOptions) {
        self.options = options
        // As many as there may be: whoever scales up at once must have what to start.
        slots = options.autoscale?.most ?? options.slots
        seconds = options.lookAheadSeconds
        lookAhead = 0
        resize(to: slots)
    }

    private var most: Int { max(1, options.lookAheadPerSlot.map { $0 * slots } ?? options.lookAheadMost) }

    mutating func resize(to slots: Int) {
        self.slots = slots
        lookAhead = min(max(slots, lookAhead), most)
    }

    mutating func taskFinished() { finished += 1 }

    /// Folds what finished since the last call into the rate; true when the look-ahead changed.
    mutating func tick(elapsedSeconds: Double) -> Bool {
        guard elapsedSeconds > 0 else { return false }
        let current = Double(finished) / elapsedSeconds
        finished = 0
        // Up at once, down slowly: a burst must not wait for the average.
        rate = current > rate ? current : rate * 0.8 + current * 0.2
        let wanted = max(min(slots, most), min(most, Int(rate * seconds)))
        // A few messages more or less are not worth a frame.
        guard abs(wanted - lookAhead) * 8 > lookAhead || wanted == most || wanted == slots, wanted != lookAhead else {
            return false
        }
        lookAhead = wanted
        return true
    }

    /// - Parameter waiting: messages of the queue that are held until they are due; they must not use up its credit.
    func wanted(waiting: Int) -> Int { slots + lookAhead + waiting }

    var isIdle: Bool { finished == 0 && rate < 0.01 }
}
