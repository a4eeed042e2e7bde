// What the operator says of outside systems beside their addresses. Each system takes what it knows.
public import TaskModel

public struct TransportOptions: Sendable {
    /// Of the queues in which messages wait for their time, and of dead letters, where the broker has kinds of queues.
    public var delayQueueKind = QueueDeclaration.Kind.ofDelayQueues
    public var deadQueueKind = QueueDeclaration.Kind.ofDeadLetters

    public init() {}
}

public struct ResultOptions: Sendable {
    /// How results are written; nil: as they are, in JSON.
    public var codec: (any ResultCodec)?
    /// Before the names of all records; nil: as the address says.
    public var keyPrefix: String?
    /// Seconds that what belongs to a chord is kept; nil: for ever.
    public var chordsExpireSeconds: Double? = 86_400
    /// Queues that messages may have their results sent to.
    public var replyTargets = ReplyTargets()
    /// "name" or "schema.name" of the tables in a database, of tasks and of groups; nil: Celery's own.
    public var taskTable: String?
    public var groupTable: String?
    /// For whom rows of a database are written.
    public var readers = ResultReaders.celery57

    public init() {}
}

/// An address that cannot be used. Shows no secrets.
public struct TransportFailure: Error, Sendable, CustomStringConvertible {
    public var detail: String
    public var fix: String?

    public init(_ detail: String, fix: String? = nil) {
        self.detail = detail
        self.fix = fix
    }

    public var description: String { failureText(detail, fix: fix) }

    /// An address as its system reads it.
    public static func reading<Address>(
        _ url: String, _ read: (String) throws(StoreFailure) -> Address
    ) throws(TransportFailure) -> Address {
        do throws(StoreFailure) {
            return try read(url)
        } catch {
            throw TransportFailure(error.detail, fix: error.fix)
        }
    }
}
