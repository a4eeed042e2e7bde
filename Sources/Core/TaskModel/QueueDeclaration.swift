/// A queue as the operator or Celery's defaults describe it (celery-protocol.md §2.1).
public struct QueueDeclaration: Sendable, Equatable {
    public enum Kind: String, Sendable {
        case classic, quorum

        /// Those of Celery's delay ladder, unless the operator says otherwise.
        public static let ofDelayQueues = quorum
        /// Those of dead letters, likewise.
        public static let ofDeadLetters = classic
    }

    public var name: String
    /// nil: use the queue as it is; only when it is missing declare it classic.
    public var kind: Kind?
    /// `x-max-priority`, 1…255.
    public var maxPriority: Int?
    /// Further arguments, untouched (`x-dead-letter-exchange` …).
    public var arguments: FieldTable
    /// The exchange that clients publish to, its type, and the key that the queue is bound to it with; nil: a direct one
    /// of the queue's name, and that name.
    public var exchange: String?
    public var exchangeType: String?
    public var routingKey: String?
    /// Named by the operator with settings of its own, so a difference to the broker's queue is worth a warning.
    public var isExplicit: Bool

    public init(
        name: String, kind: Kind? = nil, maxPriority: Int? = nil, arguments: FieldTable = [:], isExplicit: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.maxPriority = maxPriority
        self.arguments = arguments
        self.isExplicit = isExplicit
    }

    public var bindingKey: String { routingKey ?? name }

    /// Where the dead letters of this queue go.
    public var deadQueueName: String { "\(name).dead" }
}
