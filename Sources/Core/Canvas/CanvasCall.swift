// One task's message, made of a signature whose options are complete (celery-protocol.md §1.5, §1.11).
public import CeleryWire
public import TaskModel
import TaskhostJSON

public struct CanvasCall: Sendable {
    public enum Target: Sendable, Equatable {
        /// By the routes of who publishes.
        case routed
        case queue(String)
        case exchange(String, routingKey: String)
    }

    public var taskName: String
    public var taskID: String
    public var target: Target
    /// With a body in plain JSON; it is to be sent in `serializer` and `compression` (`WireMessage.encoded`).
    public var message: WireMessage
    public var serializer: ContentType
    public var compression: Compression?
    /// Not to be started before so many seconds have passed; 0: at once.
    public var dueInSeconds: Double

    init(_ signature: SignatureTree, id: String, _ context: CanvasContext) {
        let options = signature.options
        taskName = signature.task
        taskID = id
        target = Self.target(options)
        serializer = options.text("serializer").flatMap(ContentType.named) ?? context.serializer
        compression = options.text("compression").flatMap(Compression.named) ?? context.compression
        var call = TaskCall(signature.task, args: signature.args, kwargs: signature.kwargs.members, id: id)
        call.rootID = options.text("root_id") ?? context.rootID
        call.parentID = options.text("parent_id") ?? context.parentID
        call.shadow = options.text("shadow")
        call.ignoreResult = options.given("ignore_result")?.boolean
        call.hardLimit = options.given("time_limit")?.number
        call.softLimit = options.given("soft_time_limit")?.number
        call.priority =
            options.given("priority")?.integer.map { UInt8(clamping: $0) } ?? context.priority
        call.eta = Self.due(options, context.now)
        call.expires = Self.time(options.given("expires"), context.now)
        call.headers = Self.headers(options, context)
        dueInSeconds = max(0, call.eta?.seconds(since: context.now) ?? 0)
        message = call.message(
            replyTo: options.text("reply_to") ?? context.replyTo, origin: options.text("origin") ?? context.origin,
            now: context.now)
        if let correlation = options.text("correlation_id") { message.properties.correlationID = correlation }
        if let mode = options.given("delivery_mode") { message.properties.deliveryMode = Self.deliveryMode(mode) }
        message.body = Self.body(signature)
    }

    /// Of a message that is complete.
    init(_ name: String, id: String, _ target: Target, _ message: WireMessage, dueInSeconds: Double) {
        taskName = name
        taskID = id
        self.target = target
        self.message = message
        serializer = .json
        self.dueInSeconds = dueInSeconds
        // Looked at only when it cannot be sent: what is none of JSON's tells nothing then.
        let isPlain =
            message.properties.contentType == ContentType.json.mimeType
            && message.headers["compression"] == nil
        if !isPlain { self.message.body = Array("[[],{},{}]".utf8) }
    }

    private static func target(_ options: JSONMap) -> Target {
        if let queue = options.text("queue") { return .queue(queue) }
        if let key = options.text("routing_key"), let exchange = options.text("exchange") {
            // The default exchange is how one names a queue.
            return exchange.isEmpty ? .queue(key) : .exchange(exchange, routingKey: key)
        }
        return .routed
    }

    private static func deliveryMode(_ mode: JSON) -> UInt8 {
        mode.integer == 1 || mode.text == "transient" ? 1 : 2
    }

    private static func due(_ options: JSONMap, _ now: WallTime) -> WallTime? {
        if let seconds = options.given("countdown")?.number, seconds > 0 { return now.advanced(bySeconds: seconds) }
        return time(options.given("eta"), now)
    }

    /// A number is seconds from now.
    private static func time(_ value: JSON?, _ now: WallTime) -> WallTime? {
        if let seconds = value?.number { return now.advanced(bySeconds: seconds) }
        return (value?.text ?? value?["__value__"]?.text).flatMap(ISO8601.parse)
    }

    /// What `TaskCall` has no field of its own for; the caller's own headers go under these.
    private static func headers(_ options: JSONMap, _ context: CanvasContext) -> FieldTable {
        var table: FieldTable = [:]
        for member in options.given("headers")?.members ?? [] { table[member.key] = FieldValue(member.value) }
        // A task with spans of its own may have named one of them.
        if table[TraceContext.parentHeader] == nil { context.trace?.put(into: &table) }
        CarriedHeaders.put(context.carried, into: &table)
        if let group = options.text("group_id") { table["group"] = .string(group) }
        if let index = options.given("group_index")?.integer { table["group_index"] = .int(index) }
        if let retries = options.given("retries")?.integer { table["retries"] = .int(retries) }
        if let nesting = options.given("replaced_task_nesting")?.integer {
            table["replaced_task_nesting"] = .int(nesting)
        }
        let stamps = options.list("stamped_headers").compactMap(\.text)
        guard !stamps.isEmpty else { return table }
        table["stamped_headers"] = .array(stamps.map(FieldValue.string))
        table["stamps"] = .table(
            FieldTable(
                stamps.compactMap { name in
                    options[name].map { FieldTable.Field(key: name, value: FieldValue($0)) }
                }))
        return table
    }

    private static func body(_ signature: SignatureTree) -> [UInt8] {
        func list(_ key: String) -> JSON {
            signature.options.given(key) == nil ? nil : .array(signature.options.list(key))
        }
        let embed = JSON.object([
            JSONMember(key: "callbacks", value: list("link")), JSONMember(key: "errbacks", value: list("link_error")),
            JSONMember(key: "chain", value: list("chain")),
            JSONMember(key: "chord", value: signature.options.given("chord") ?? nil),
        ])
        return JSON.array([.array(signature.args), signature.kwargs.json, embed]).bytes
    }
}
