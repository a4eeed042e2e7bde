// From what the engine tells to spans.
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import Traces

@Suite("Recording spans")
struct RecorderTests {
    private final class Sink {
        var spans: [Span] = []
    }

    private func task(sampled: Bool = true, span: UInt64 = 7) -> ObservedTask {
        var usage = Usage()
        usage.wallMicroseconds = 250_000
        let context = TraceContext(
            traceID: TraceContext.hex(9, digits: 32), spanID: TraceContext.hex(span, digits: 16),
            flags: sampled ? 1 : 0)
        return ObservedTask(
            id: "id", name: "tasks.add", displayName: "tasks.add", argsRepr: "()", kwargsRepr: "{}", rootID: "root",
            parentID: nil, groupID: nil, retries: 1, etaText: nil, expiresText: nil, queue: "q", routingKey: "q",
            headers: [:], receivedAt: WallTime(microseconds: 1_000_000), readyAt: WallTime(microseconds: 1_500_000),
            beganAt: WallTime(microseconds: 2_000_000), usage: usage,
            trace: RunTrace(context: context, parentSpanID: "00000000000000aa", isRecorded: sampled))
    }

    private func spans(_ occurrences: [TaskEvent], of task: ObservedTask) -> [Span] {
        let sink = Sink()
        let recorder = SpanRecorder(system: "rabbitmq") { sink.spans.append($0) }
        for event in occurrences { recorder.observed(event, of: task) }
        return sink.spans
    }

    @Test("a run is one span, from its start for as long as it took, with its wait as an event")
    func success() throws {
        let made = spans([.received, .started(pid: 42), .succeeded(result: Array("1".utf8))], of: task())
        let span = try #require(made.first)
        #expect(made.count == 1)
        #expect(span.name == "run/tasks.add")
        #expect(span.parentSpanID == "00000000000000aa")
        #expect((span.start.microseconds, span.end.microseconds) == (2_000_000, 2_250_000))
        #expect(span.error == nil)
        #expect(span.attributes.contains { $0.key == "process.pid" && $0.value == .integer(42) })
        #expect(span.attributes.contains { $0.key == "messaging.system" && $0.value == .text("rabbitmq") })
        #expect(span.events.map(\.name) == ["queue wait"])
        #expect(span.events[0].attributes.map(\.value) == [.number(1), .number(0.5)])
    }

    @Test("a failure is an error with its exception")
    func failure() throws {
        let failure = TaskFailure(type: "ValueError", module: "builtins", arguments: Array(#"["no","x"]"#.utf8))
        let span = try #require(spans([.started(pid: 1), .failed(failure)], of: task()).first)
        #expect(span.error == "no")
        let event = try #require(span.events.last)
        #expect(event.name == "exception")
        #expect(event.attributes.first { $0.key == "exception.type" }?.value == .text("ValueError"))
        #expect(span.attributes.contains { $0.key == "error.type" && $0.value == .text("ValueError") })
    }

    @Test("its attributes name the message, where it came from and the run")
    func attributes() throws {
        let span = try #require(spans([.started(pid: 42), .succeeded(result: [])], of: task()).first)
        let made = Dictionary(uniqueKeysWithValues: span.attributes.map { ($0.key, $0.value) })
        #expect(
            made == [
                "messaging.system": .text("rabbitmq"), "messaging.operation.name": .text("process"),
                "messaging.operation.type": .text("process"), "messaging.destination.name": .text("q"),
                "messaging.message.id": .text("id"), "messaging.message.conversation_id": .text("root"),
                "messaging.rabbitmq.destination.routing_key": .text("q"), "celery.action": .text("run"),
                "celery.task_name": .text("tasks.add"), "celery.state": .text("SUCCESS"),
                "celery.retries": .integer(1), "process.pid": .integer(42),
            ])
    }

    @Test("it says how the run ended; only failures and crashes are errors")
    func states() {
        let failure = TaskFailure(type: "ValueError", module: "builtins", arguments: Array("[]".utf8))
        let ends: [(TaskEvent, state: String, isError: Bool)] = [
            (.succeeded(result: []), "SUCCESS", false), (.failed(failure), "FAILURE", true),
            (.retried(afterSeconds: 1, cause: failure), "RETRY", false),
            (.revoked(signal: 15, hasExpired: false), "REVOKED", false), (.ignored, "IGNORED", false),
            (.replaced, "REPLACED", false), (.rejected(requeue: false), "REJECTED", false),
            (.rejected(requeue: true), "REQUEUED", false),
            (.crashed(Death(cause: .signal(9)), starts: 1, of: 3), "CRASHED", true),
            (.requeuedAtStop, "REQUEUED_AT_STOP", false),
        ]
        for (end, state, isError) in ends {
            let made = spans([.started(pid: 1), end], of: task())
            #expect(made.map { ($0.error != nil) } == [isError], "\(state)")
            #expect(made.first?.attributes.first { $0.key == "celery.state" }?.value == .text(state))
        }
    }

    @Test("limits that the run reached are events between its wait and its end, a crash's has the native stack")
    func events() throws {
        let death = Death(cause: .signal(11), stack: ["one", "two"])
        let occurrences: [TaskEvent] = [
            .started(pid: 1), .reachedSoftLimit(seconds: 2), .reachedHardLimit(seconds: 3, swept: 0),
            .crashed(death, starts: 1, of: 3),
        ]
        let events = try #require(spans(occurrences, of: task()).first).events
        try #require(events.map(\.name) == ["queue wait", "soft time limit", "hard time limit", "exception"])
        #expect(events[1].attributes.map(\.value) == [.number(2)] && events[2].attributes.map(\.value) == [.number(3)])
        guard case .text(let stack)? = events[3].attributes.first(where: { $0.key == "exception.stacktrace" })?.value
        else {
            Issue.record("there is no stack")
            return
        }
        #expect(stack.contains("one") && stack.contains("two"))
    }

    @Test("a crash ends the span at once, and the failure that follows makes no second one")
    func crash() throws {
        let death = Death(cause: .signal(9))
        let failure = TaskFailure(type: "WorkerLostError", module: "billiard.exceptions", arguments: Array("[]".utf8))
        let made = spans([.started(pid: 1), .crashed(death, starts: 3, of: 3), .failed(failure)], of: task())
        #expect(made.count == 1)
        #expect(made.first?.error == "Worker exited prematurely: signal 9 (SIGKILL).")
    }

    @Test("what never ran, and what its sender does not record, makes no span")
    func none() {
        #expect(spans([.received, .revoked(signal: nil, hasExpired: true)], of: task()).isEmpty)
        #expect(spans([.started(pid: 1), .succeeded(result: [])], of: task(sampled: false)).isEmpty)
    }

    @Test("in OTLP's JSON ids are hexadecimal, times are texts in nanoseconds")
    func document() throws {
        let made = spans([.started(pid: 1), .succeeded(result: [])], of: task())
        let service = TracedService(name: "orders", version: "1", instance: "w@h")
        let document = try JSON(parsing: SpanDocument.bytes(made, of: service))
        let resource = try #require(document["resourceSpans"]?.elements?.first)
        let name = try #require(resource["resource"]?["attributes"]?.elements?.first)
        #expect(name["key"]?.text == "service.name" && name["value"]?["stringValue"]?.text == "orders")
        let span = try #require(resource["scopeSpans"]?.elements?.first?["spans"]?.elements?.first)
        #expect(span["traceId"]?.text == "00000000000000000000000000000009")
        #expect(span["spanId"]?.text == "0000000000000007")
        #expect(span["parentSpanId"]?.text == "00000000000000aa")
        #expect(span["kind"]?.integer == 5)
        #expect(span["startTimeUnixNano"]?.text == "2000000000")
        #expect(span["endTimeUnixNano"]?.text == "2250000000")
        #expect(span["status"] == nil && span["traceState"] == nil)
        let pid = span["attributes"]?.elements?.first { $0["key"]?.text == "process.pid" }
        #expect(pid?["value"]?["intValue"]?.text == "1")
    }

    @Test("in OTLP's JSON an error has status 2 and its message, and other systems' notes come along")
    func failedDocument() throws {
        var failed = task()
        failed.trace?.context.state = "vendor=1"
        let failure = TaskFailure(type: "ValueError", module: "builtins", arguments: Array(#"["no"]"#.utf8))
        let made = spans([.started(pid: 1), .failed(failure)], of: failed)
        let document = try JSON(
            parsing: SpanDocument.bytes(made, of: TracedService(name: "s", version: "1", instance: "w@h")))
        let scope = document["resourceSpans"]?.elements?.first?["scopeSpans"]?.elements?.first
        let span = try #require(scope?["spans"]?.elements?.first)
        #expect(span["status"] == ["code": 2, "message": "no"] && span["traceState"] == "vendor=1")
    }
}

@Suite("Trace context")
struct TraceContextTests {
    private let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test("a trace parent is read and written as it came")
    func round() throws {
        let context = try #require(TraceContext(traceparent: good, state: "vendor=1"))
        #expect(context.traceparent == good)
        #expect(context.isSampled && context.state == "vendor=1")
    }

    @Test("from the headers of a message it comes with other systems' notes, and goes into others with them")
    func headers() throws {
        let headers: FieldTable = ["traceparent": .string(good), "tracestate": .string("vendor=1")]
        let context = try #require(TraceContext(headers: headers))
        #expect(context.traceparent == good && context.state == "vendor=1")
        var others: FieldTable = ["tracestate": .string("of another trace"), "id": .string("x")]
        context.put(into: &others)
        #expect(others["traceparent"]?.text == good && others["tracestate"]?.text == "vendor=1")
        try #require(TraceContext(traceparent: good)).put(into: &others)
        #expect(others["traceparent"]?.text == good && others["tracestate"] == nil && others["id"]?.text == "x")
    }

    @Test("later versions may go on after the flags, version 00 may not")
    func versions() {
        #expect(TraceContext(traceparent: "cc" + good.dropFirst(2) + "-more") != nil)
        #expect(TraceContext(traceparent: good + "-more") == nil)
        #expect(TraceContext(traceparent: "ff" + good.dropFirst(2)) == nil)
    }

    @Test(
        "what is no trace parent belongs to no trace",
        arguments: [
            "", "00", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1", "00_0af7651916cd43dd8448eb211c80319c",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-+1",
        ])
    func bad(_ text: String) { #expect(TraceContext(traceparent: text) == nil) }

    @Test("notes that are too long are left behind")
    func longState() {
        #expect(TraceContext(traceparent: good, state: String(repeating: "x", count: 1025))?.state == nil)
    }
}
