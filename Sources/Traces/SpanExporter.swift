// Takes spans to a collector: in batches, on a thread of its own, from a bounded queue.
import Dispatch
import Synchronization

/// What comes in while the collector is away waits, up to a bound; what is beyond it is dropped and counted. Thread-safe.
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
        var mostWaiting = 4096
        var mostInBatch = 512
        var lingerSeconds = 1.0
        var firstPauseSeconds = 1.0
        var longestPauseSeconds = 30.0
    }

    private struct State {
        var waiting: [Span] = []
        var isScheduled = false
        var isClosing = false
        var pause = 0.0
        var isAway = false
        var counts = Counts()
    }

    public struct Counts: Sendable, Equatable {
        public var exported = 0
        public var dropped = 0

        public init() {}
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "taskhost.traces", qos: .utility)
    private let service: TracedService
    private let pace: Pace
    private let post: @Sendable ([UInt8]) -> Answer
    private let tell: @Sendable (Int, String) -> Void

    /// - Parameter log: level 1 (information) or 2 (warning) and a sentence; called on the exporter's own thread.
    public convenience init(
        to collector: TraceCollector, service: TracedService, log: @escaping @Sendable (Int, String) -> Void
    ) {
        self.init(service: service, pace: Pace(), log: log) { collector.post($0) }
    }

    init(
        service: TracedService, pace: Pace, log: @escaping @Sendable (Int, String) -> Void,
        post: @escaping @Sendable ([UInt8]) -> Answer
    ) {
        self.service = service
        self.pace = pace
        tell = log
        self.post = post
    }

    public var counts: Counts { state.withLock { $0.counts } }

    func add(_ span: Span) {
        let delay: Double? = state.withLock { state in
            guard state.waiting.count < pace.mostWaiting, !state.isClosing else {
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
            return state.waiting.count >= pace.mostInBatch ? 0 : pace.lingerSeconds
        }
        if let delay { schedule(afterSeconds: delay) }
    }

    /// One batch. False: it has to wait.
    private func send() -> Bool {
        let batch = state.withLock { Array($0.waiting.prefix(pace.mostInBatch)) }
        guard !batch.isEmpty else { return true }
        let answer = post(SpanDocument.bytes(batch, of: service))
        let line: (Int, String)? = state.withLock { state in
            let wasAway = state.isAway
            switch answer {
            case .taken:
                state.waiting.removeFirst(batch.count)
                state.counts.exported += batch.count
                state.pause = 0
                state.isAway = false
                return wasAway ? (1, "spans are taken again; \(state.counts.dropped) were dropped so far") : nil
            case .refused(let reason):
                state.waiting.removeFirst(batch.count)
                state.counts.dropped += batch.count
                state.pause = 0
                state.isAway = true
                return wasAway ? nil : (2, "\(batch.count) spans were refused and dropped: \(reason)")
            case .later(let reason):
                state.pause = min(max(pace.firstPauseSeconds, state.pause * 2), pace.longestPauseSeconds)
                state.isAway = true
                let room = pace.mostWaiting
                return wasAway ? nil : (2, "spans cannot be delivered: \(reason); up to \(room) wait, more are dropped")
            }
        }
        if let line { tell(line.0, line.1) }
        if case .later = answer { return false }
        return true
    }
}
