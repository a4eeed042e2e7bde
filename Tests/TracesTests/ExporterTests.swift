// The exporter's queue: batches, what is tried again, what is dropped and counted.
import Dispatch
import Synchronization
import TaskModel
import TaskhostJSON
import Testing

@testable import Traces

@Suite("Exporting spans")
struct ExporterTests {
    /// Answers as told, and remembers how many spans each request had.
    private final class Collector: Sendable {
        let state: Mutex<(answers: [SpanExporter.Answer], sizes: [Int])>
        /// An element for each request.
        let requests: AsyncStream<Void>
        private let came: AsyncStream<Void>.Continuation

        init(_ answers: [SpanExporter.Answer]) {
            state = Mutex((answers, []))
            (requests, came) = AsyncStream.makeStream()
        }

        func take(_ body: [UInt8]) -> SpanExporter.Answer {
            let document = try? JSON(parsing: body)
            let spans = document?["resourceSpans"]?.elements?.first?["scopeSpans"]?.elements?.first?["spans"]
            let count = spans?.elements?.count ?? -1
            defer { came.yield() }
            return state.withLock { state in
                state.sizes.append(count)
                return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
            }
        }

        var sizes: [Int] { state.withLock { $0.sizes } }
    }

    private func exporter(to collector: Collector, _ pace: SpanExporter.Pace) -> SpanExporter {
        SpanExporter(
            service: TracedService(name: "s", version: "1", instance: "w@h"), pace: pace, log: { _, _ in },
            post: { collector.take($0) })
    }

    private func span(_ number: Int) -> Span {
        Span(
            context: TraceContext(
                traceID: TraceContext.hex(1, digits: 32), spanID: TraceContext.hex(UInt64(number + 1), digits: 16),
                flags: 1),
            name: "run/t", start: WallTime(microseconds: 1), end: WallTime(microseconds: 2), attributes: [],
            events: [])
    }

    private func close(_ exporter: SpanExporter) async {
        await withCheckedContinuation { done in exporter.close { done.resume() } }
    }

    @Test("what waits goes out in batches")
    func batches() async {
        let collector = Collector([.taken])
        let exporter = exporter(to: collector, SpanExporter.Pace(maxInBatch: 4, lingerSeconds: 1000))
        for number in 0..<10 { exporter.add(span(number)) }
        await close(exporter)
        #expect(collector.sizes == [4, 4, 2])
        #expect((exporter.counts.exported, exporter.counts.dropped) == (10, 0))
    }

    @Test("a collector that is away gets the same spans later; beyond the bound they are dropped and counted")
    func away() async {
        let collector = Collector([.later("away"), .later("away"), .taken])
        let pace = SpanExporter.Pace(
            maxWaiting: 6, lingerSeconds: 0.01, backoff: Backoff(initial: 0.01, max: 0.01))
        let exporter = exporter(to: collector, pace)
        for number in 0..<9 { exporter.add(span(number)) }
        for await _ in collector.requests where collector.sizes.count == 3 { break }
        await close(exporter)
        #expect(exporter.counts.exported == 6)
        #expect(collector.sizes.last == 6)
        #expect(collector.sizes.count == 3)
        #expect(exporter.counts.dropped == 3)
    }

    @Test("what the collector refuses is dropped, and the next batch goes out")
    func refused() async {
        let collector = Collector([.refused("no"), .taken])
        let exporter = exporter(to: collector, SpanExporter.Pace(maxInBatch: 2, lingerSeconds: 1000))
        for number in 0..<4 { exporter.add(span(number)) }
        await close(exporter)
        #expect((exporter.counts.exported, exporter.counts.dropped) == (2, 2))
    }

    @Test("at the end what cannot be delivered is counted as dropped")
    func end() async {
        let collector = Collector([.later("away")])
        let exporter = exporter(to: collector, SpanExporter.Pace(lingerSeconds: 1000))
        exporter.add(span(0))
        await close(exporter)
        exporter.add(span(1))
        #expect((exporter.counts.exported, exporter.counts.dropped) == (0, 2))
    }
}
