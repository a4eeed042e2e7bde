// One run of a task as OpenTelemetry sees it.
import TaskModel

struct Span: Sendable {
    enum Value: Sendable, Equatable {
        case text(String)
        case integer(Int64)
        case number(Double)
    }

    struct Event: Sendable {
        var name: String
        var at: WallTime
        var attributes: [(key: String, value: Value)] = []
    }

    var context: TraceContext
    var parentSpanID: String?
    var name: String
    var start: WallTime
    var end: WallTime
    var attributes: [(key: String, value: Value)]
    var events: [Event]
    /// nil: nothing went wrong.
    var error: String?
}
