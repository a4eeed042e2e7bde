// Spans as OTLP/HTTP wants them in JSON (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding").
import TaskModel
import TaskhostJSON

/// Who exports: written once in each request.
public struct TracedService: Sendable {
    public var name: String
    public var version: String
    /// `name@host` of the worker.
    public var instance: String

    public init(name: String, version: String, instance: String) {
        self.name = name
        self.version = version
        self.instance = instance
    }
}

enum SpanDocument {
    /// The body of a POST to /v1/traces.
    static func bytes(_ spans: [Span], of service: TracedService) -> [UInt8] {
        let resource: [(key: String, value: Span.Value)] = [
            ("service.name", .text(service.name)), ("service.version", .text(service.version)),
            ("service.instance.id", .text(service.instance)),
        ]
        let scope = object([("name", .string("taskhost")), ("version", .string(service.version))])
        let scoped = object([("scope", scope), ("spans", .array(spans.map(json)))])
        let all = object([
            ("resource", object([("attributes", attributes(resource))])), ("scopeSpans", .array([scoped])),
        ])
        return object([("resourceSpans", .array([all]))]).bytes
    }

    private static let kindConsumer: Int64 = 5
    private static let statusError: Int64 = 2

    private static func json(_ span: Span) -> JSON {
        var members: [(String, JSON)] = [
            ("traceId", .string(span.context.traceID)), ("spanId", .string(span.context.spanID)),
            ("flags", .int(Int64(span.context.flags))), ("name", .string(span.name)), ("kind", .int(kindConsumer)),
            ("startTimeUnixNano", time(span.start)), ("endTimeUnixNano", time(max(span.start, span.end))),
            ("attributes", attributes(span.attributes)),
            (
                "events",
                .array(
                    span.events.map { event in
                        object([
                            ("timeUnixNano", time(event.at)), ("name", .string(event.name)),
                            ("attributes", attributes(event.attributes)),
                        ])
                    })
            ),
        ]
        if let parent = span.parentSpanID { members.append(("parentSpanId", .string(parent))) }
        if let state = span.context.state { members.append(("traceState", .string(state))) }
        if let error = span.error {
            members.append(("status", object([("code", .int(statusError)), ("message", .string(error))])))
        }
        return object(members)
    }

    /// 64-bit numbers are strings in Protobuf's JSON.
    private static func time(_ time: WallTime) -> JSON { .string("\(time.microseconds)000") }

    private static func attributes(_ list: [(key: String, value: Span.Value)]) -> JSON {
        .array(
            list.map { item in
                let value: (String, JSON) =
                    switch item.value {
                    case .text(let text): ("stringValue", .string(text))
                    case .integer(let number): ("intValue", .string("\(number)"))
                    case .number(let number): ("doubleValue", .double(number))
                    }
                return object([("key", .string(item.key)), ("value", object([value]))])
            })
    }

    private static func object(_ members: [(String, JSON)]) -> JSON {
        .object(members.map { JSONMember(key: $0.0, value: $0.1) })
    }
}
