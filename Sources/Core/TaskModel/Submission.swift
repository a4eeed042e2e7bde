/// A signature that a running task wants published. The child has made the id, so that it need not wait for us.
public struct Submission: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        case send
        /// One member more of the chord the task itself is part of.
        case addToChord
    }

    public var kind: Kind
    /// The id of the task, of a chain's last task, of a group, or of a chord's body. Ids inside the signature stay.
    public var taskID: String
    /// JSON (celery-protocol.md §1.5).
    public var signature: [UInt8]

    public init(kind: Kind, taskID: String, signature: [UInt8]) {
        self.kind = kind
        self.taskID = taskID
        self.signature = signature
    }
}
