// A task message, understood: what the decoder makes of a delivery and the engine works with.
public import TaskModel

/// One call of a task (celery-protocol.md §1.3, §1.4). Made by `MessageDecoder`.
public struct TaskMessage: Sendable {
    /// Any text, unique per call by convention only.
    public var id: String
    public var name: String
    public var rootID: String?
    public var parentID: String?
    public var groupID: String?
    public var groupIndex: Int?
    /// A name for logs instead of the task's own.
    public var shadow: String?

    /// Not to be started before.
    public var eta: WallTime?
    /// Not to be started after.
    public var expires: WallTime?
    /// As the client wrote them; a retry passes `expires` on unchanged.
    public var etaText: String?
    public var expiresText: String?

    /// Attempts already made, ≥ 0.
    public var retries: Int
    /// Seconds, > 0; nil: the task's own limit holds. (On the wire: `timelimit` = [hard, soft].)
    public var hardLimit: Double?
    public var softLimit: Double?

    /// Arguments in Python's notation, cut short by the client. For people, not for programs.
    public var argsRepr: String
    public var kwargsRepr: String
    /// Who sent it, "gen<pid>@<host>".
    public var origin: String?
    /// nil: as the task says.
    public var ignoreResult: Bool?
    public var replyTo: String?
    public var correlationID: String?
    /// 0…255.
    public var priority: UInt8
    public var replacedTaskNesting: Int
    public var stampedHeaders: [String]?
    public var stamps: FieldTable
    /// Starts already made of this attempt that did not come to an outcome of the task's own (our header
    /// `taskhost-starts`).
    public var priorStarts: Int
    /// It has been received once, reported, and postponed.
    public var wasTold = false

    /// How the body came; what continues the task goes out the same way.
    public var contentType: ContentType
    public var compression: Compression?
    /// It came as a list, and not as a map of protocol 1.
    var hasListBody: Bool

    /// JSON text `[args, kwargs, embed]` for the child; embed is `{}` when the client sent none.
    public var body: [UInt8]
    /// Where the three parts are in `body`.
    public var argsRange: Range<Int>
    public var kwargsRange: Range<Int>
    public var embedRange: Range<Int>
    /// Something is to follow this task: callbacks, errbacks, a chain or a chord.
    public var hasContinuations: Bool
    /// 1 or 2.
    public var protocolVersion: Int

    /// Set when args is no list or kwargs no map. Not to be started: this is the task's failure
    /// (celery-protocol.md §1.10).
    public var argumentsFailure: TaskFailure?

    public var displayName: String { shadow ?? name }

    private static let emptyBody = Array("[[],{},{}]".utf8)

    public init(id: String, name: String) {
        self.id = id
        self.name = name
        retries = 0
        argsRepr = ""
        kwargsRepr = ""
        priority = 0
        replacedTaskNesting = 0
        stamps = [:]
        priorStarts = 0
        contentType = .json
        compression = nil
        hasListBody = true
        body = Self.emptyBody
        argsRange = 1..<3
        kwargsRange = 4..<6
        embedRange = 7..<9
        hasContinuations = false
        protocolVersion = 2
    }

    /// A body of these two, JSON text each, with nothing to follow.
    public mutating func setArguments(_ args: [UInt8], _ kwargs: [UInt8]) {
        body = [UInt8(ascii: "[")] + args
        argsRange = 1..<body.count
        body.append(UInt8(ascii: ","))
        kwargsRange = body.count..<body.count + kwargs.count
        body += kwargs + Array(",{}]".utf8)
        embedRange = body.count - 3..<body.count - 1
    }
}
