// One line of figures: a counter, a gauge or a histogram.
import CoreMetrics
import Synchronization

final class Series: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler {
    enum Kind: String { case counter, gauge, histogram }

    struct Figures {
        /// Of counters and gauges; of histograms the sum.
        var value = 0.0
        /// By bound, not yet summed up; the last one is beyond all bounds.
        var buckets: [UInt64] = []
    }

    let kind: Kind
    private let bounds: [Double]
    private let figures: Mutex<Figures>

    init(kind: Kind, bounds: [Double]) {
        self.kind = kind
        self.bounds = bounds
        figures = Mutex(
            Figures(buckets: kind == .histogram ? Array(repeating: 0, count: bounds.count + 1) : []))
    }

    var snapshot: Figures { figures.withLock { $0 } }

    func increment(by amount: Int64) { increment(by: Double(amount)) }
    func increment(by amount: Double) { figures.withLock { $0.value += amount } }
    func decrement(by amount: Double) { figures.withLock { $0.value -= amount } }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { figures.withLock { $0.value = value } }
    func reset() { figures.withLock { $0.value = 0 } }
    func record(_ value: Int64) { record(Double(value)) }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    func record(_ value: Double) {
        guard kind == .histogram else { return set(value) }
        let index = bounds.firstIndex { value <= $0 } ?? bounds.count
        figures.withLock {
            $0.value += value
            $0.buckets[index] += 1
        }
    }
}
