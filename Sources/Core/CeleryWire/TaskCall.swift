// What a client sends (celery-protocol.md §1.1–1.4).
public import TaskModel
public import TaskhostJSON

/// One call of a task, before it is sent.
public struct TaskCall: Sendable {
    public var name: String
    public var id: String
    public var args: [JSON] = []
    public var kwargs: [JSONMember] = []
    /// Seconds from the time of sending; counts only without an `eta`.
    public var countdown: Double?
    public var eta: WallTime?
    public var expires: WallTime?
    /// 0…255; nil is sent as 0, as Celery does.
    public var priority: UInt8?
    /// Where to send it; nil: to the default queue. Not part of the message.
    public var queue: String?
    /// Seconds; nil: the task's own.
    public var hardLimit: Double?
    public var softLimit: Double?
    /// nil: as the task says.
    public var ignoreResult: Bool?
    public var shadow: String?
    public var rootID: String?
    public var parentID: String?
    /// Headers of the caller's own.
    public var headers: FieldTable = [:]

    public init(_ name: String, args: [JSON] = [], kwargs: [JSONMember] = [], id: String = TaskCall.newID()) {
        self.name = name
        self.id = id
        self.args = args
        self.kwargs = kwargs
    }

    /// - Parameters:
    ///   - replyTo: `ResultStore.replyTo` of the store the result is awaited from.
    ///   - origin: "gen<pid>@<host>" of the sender.
    public func message(replyTo: String?, origin: String, now: WallTime) -> WireMessage {
        var properties = MessageProperties()
        properties.contentType = ContentType.json.mimeType
        properties.contentEncoding = "utf-8"
        properties.correlationID = id
        properties.replyTo = replyTo
        properties.priority = priority ?? 0
        properties.deliveryMode = 2
        if let expires { properties.expiration = Republication.expiration(until: expires, now: now) }
        return WireMessage(properties: properties, headers: headers(origin: origin, now: now), body: body)
    }

    private func headers(origin: String, now: WallTime) -> FieldTable {
        var message = TaskMessage(id: id, name: name)
        message.shadow = shadow
        message.rootID = rootID
        message.parentID = parentID
        message.etaText = (eta ?? countdown.map(now.advanced(bySeconds:))).map(ISO8601.format)
        message.expiresText = expires.map(ISO8601.format)
        message.hardLimit = hardLimit
        message.softLimit = softLimit
        message.ignoreResult = ignoreResult
        message.origin = origin
        (message.argsRepr, message.kwargsRepr) = PythonRepr.callRepr(args: args, kwargs: kwargs)
        var table = TaskHeaderList.of(message)
        table["lang"] = .string("taskhost")
        for field in headers.fields { table[field.key] = field.value }
        return table
    }

    private var body: [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        JSON.array(args).write(into: &bytes)
        bytes.append(UInt8(ascii: ","))
        JSON.object(kwargs).write(into: &bytes)
        bytes.append(contentsOf: #",{"callbacks":null,"errbacks":null,"chain":null,"chord":null}]"#.utf8)
        return bytes
    }

    /// A random UUID (version 4), as Celery names tasks.
    public static func newID() -> String { UUIDText.random() }
}
