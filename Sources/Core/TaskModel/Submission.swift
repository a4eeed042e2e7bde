/// What a running task wants sent. The child has made the ids, so that it need not wait for us.
public struct Submission: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        case send
        /// One member more of the chord the task itself is part of.
        case addToChord
        /// A message that is complete.
        case message
        /// Nothing: what the task has called by such messages, as its result is to name it.
        case children
    }

    public var kind: Kind
    /// The id of the task, of a chain's last task, of a group, or of a chord's body. Ids inside the signature stay.
    /// Empty where `content` says it.
    public var taskID: String
    /// JSON: a signature (celery-protocol.md §1.5), a message (`PreparedMessage`), or an array of result tuples.
    public var content: [UInt8]

    public init(kind: Kind, taskID: String = "", content: [UInt8]) {
        self.kind = kind
        self.taskID = taskID
        self.content = content
    }
}
