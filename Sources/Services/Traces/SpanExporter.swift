// Takes spans to a collector: in batches, on a thread of its own, from a bounded queue.
import Dispatch
import Synchronization
public import TaskModel

/// What comes in while the collector is away waits, up to a bound; what is beyond it is dropped and counted.
/// Thread-safe.
public final class SpanExporter: Sendable {
    /// What became of one request.
    enum Answer: Sendable, Equatable {
        case taken
        /// Worth another try.
        case later(String)
        /// It will never be taken.
        case refused(String)
    }

    struct Pace: Sendable {
        var maxWaiting = 4096
        var maxInBatch = 512
        var lingerSeconds = 1.0
        var backoff = Backoff(initial: 1, max: 30)
    }

    private struct State {
        var waiting: [Span] = []
        var isScheduled = false
        var isClosing = false
        var backoff: Backoff
        /// Seconds until what waits is tried again; 0: nothing failed.
        var pause = 0.0
        var isAway = false
        var counts = Counts()

        mutating func worked() {
            backoff.reset()
            pause = 0
        }
    }

    public struct Counts: Sendable, Equatable {
        public var exported = 0
        public var dropped = 0

        public init() {}
    }

    private let state: Mutex<State>
    private let queue = DispatchQueue(label: "taskhost.traces", qos: .utility)
    private let service: TracedService
    private let pace: Pace
    private let post: @Sendable ([UInt8]) -> Answer
    private let tell: @Sendable (LogLevel, String) -> Void

    /// - Parameter log: `.info` or `.warning` and a sentence; called on the exporter's own thread.
    public convenience init(
        to collector: TraceCollector, service: TracedService, log: @escaping @Sendable (LogLevel, String) -> Void
    ) {
        self.init(service: service, pace: Pace(), log: log) { collector.post($0) }
    }

    init(
        service: TracedService, pace: Pace, log: @escaping @Sendable (LogLevel, String) -> Void,
        post: @escaping @Sendable ([UInt8]) -> Answer
    ) {
        self.service = service
        self.pace = pace
        state = Mutex(State(backoff: pace.backoff))
        tell = log
        self.post = post
    }

    public var counts: Counts { state.withLock { $0.counts } }

    func add(_ span: Span) {
        let delay: Double? = state.withLock { state in
            guard state.waiting.count < pace.maxWaiting, !state.isClosing else {
                state.counts.dropped += 1
                return nil
            }
            state.waiting.append(span)
            guard !state.isScheduled else { return nil }
            state.isScheduled = true
            return pace.lingerSeconds
        }
        if let delay { schedule(afterSeconds: delay) }
    }

    /// Tries once more to get rid of what waits; `done` on the exporter's own thread.
    public func close(done: @escaping @Sendable () -> Void) {
        state.withLock { $0.isClosing = true }
        queue.async { [self] in
            while state.withLock({ !$0.waiting.isEmpty }), send() {}
            state.withLock { state in
                state.counts.dropped += state.waiting.count
                state.waiting = []
            }
            done()
        }
    }

    private func schedule(afterSeconds delay: Double) {
        queue.asyncAfter(deadline: .now() + delay) { [weak self] in self?.turn() }
    }

    private func turn() {
        _ = send()
        let delay: Double? = state.withLock { state in
            state.isScheduled = !state.waiting.isEmpty && !state.isClosing
            guard state.isScheduled else { return nil }
            if state.pause > 0 { return state.pause }
            return state.waiting.count >= pace.maxInBatch ? 0 : pace.lingerSeconds
        }
        if let delay { schedule(afterSeconds: delay) }
    }

    /// One batch. False: it has to wait.
    private func send() -> Bool {
        let batch = state.withLock { Array($0.waiting.prefix(pace.maxInBatch)) }
        guard !batch.isEmpty else { return true }
        let answer = post(SpanDocument.bytes(batch, of: service))
        let line: (LogLevel, String)? = state.withLock { state in
            let wasAway = state.isAway
            switch answer {
            case .taken:
                state.waiting.removeFirst(batch.count)
                state.counts.exported += batch.count
                state.worked()
                state.isAway = false
                return wasAway ? (.info, "spans are taken again; \(state.counts.dropped) were dropped so far") : nil
            case .refused(let reason):
                state.waiting.removeFirst(batch.count)
                state.counts.dropped += batch.count
                state.worked()
                state.isAway = true
                return wasAway ? nil : (.warning, "\(batch.count) spans were refused and dropped: \(reason)")
            case .later(let reason):
                state.pause = state.backoff.next()
                state.isAway = true
                let room = pace.maxWaiting
                return wasAway
                    ? nil : (.warning, "spans cannot be delivered: \(reason); up to \(room) wait, more are dropped")
            }
        }
        if let line { tell(line.0, line.1) }
        if case .later = answer { return false }
        return true
    }
}
