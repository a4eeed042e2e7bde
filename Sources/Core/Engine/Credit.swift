// Prefetch: how many unacknowledged messages are wanted per queue.
import Ports
import TaskModel

/// Credit follows free slots and the present rate: enough that no slot waits for the broker, no more than
/// `prefetchSeconds` of work, so that a message of higher priority never waits behind a long prefetch.
struct Credit {
    /// The rate is looked at so often, seconds.
    static let interval = 0.1
    /// And for the first time, when work begins: at 10,000 tasks a second the first tenth of a second would otherwise be
    /// spent with the credit of a slow host.
    static let firstInterval = 0.01
    /// Fewer say nothing about a rate in so short a time.
    private static let telling = 32

    private var slots: Int
    private let seconds: Double
    private let options: EngineOptions
    private var finished = 0
    private var rate = 0.0
    /// Messages wanted beyond the slots.
    private(set) var prefetch: Int

    init(options: EngineOptions) {
        self.options = options
        // As many as there may be: when slots are added, messages for them must be here.
        slots = options.autoscale?.max ?? options.slots
        seconds = options.prefetchSeconds
        prefetch = 0
        resize(to: slots)
    }

    private var most: Int { max(1, options.prefetchPerSlot.map { $0 * slots } ?? options.maxPrefetch) }

    mutating func resize(to slots: Int) {
        self.slots = slots
        prefetch = min(max(slots, prefetch), most)
    }

    mutating func taskFinished() { finished += 1 }

    /// It is looked at for the first time, and too little has finished to tell.
    func isTooEarly(afterSeconds seconds: Double) -> Bool {
        seconds < Self.interval / 2 && finished < Self.telling
    }

    /// Folds what finished since the last call into the rate; true when the prefetch changed.
    mutating func tick(elapsedSeconds: Double) -> Bool {
        guard elapsedSeconds > 0 else { return false }
        let current = Double(finished) / elapsedSeconds
        finished = 0
        // Up at once, down slowly: a burst must not wait for the average.
        rate = current > rate ? current : rate * 0.8 + current * 0.2
        let wanted = max(min(slots, most), min(most, Int(rate * seconds)))
        // A few messages more or less are not worth a frame.
        guard abs(wanted - prefetch) * 8 > prefetch || wanted == most || wanted == slots, wanted != prefetch else {
            return false
        }
        prefetch = wanted
        return true
    }

    /// - Parameter waiting: messages of the queue that are held until they are due; they must not use up its credit.
    func wanted(waiting: Int) -> Int { slots + prefetch + waiting }

    var isIdle: Bool { finished == 0 && rate < 0.01 }
}
