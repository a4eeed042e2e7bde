// What a result store must do so that chords can be joined without polling (celery-protocol.md §4.5).
public import TaskModel

/// A store that counts the parts of a chord and names, exactly once, who publishes its body.
public protocol ChordStore: ResultStore {
    /// Every chord is joined from the members' metas, so that each announcement has to bring its group.
    var savesEveryGroup: Bool { get }

    /// Before the first header message is published.
    /// - Parameters:
    ///   - savedGroup: JSON group tuple: its results are then joined from the members' metas instead of from the parts.
    ///     Only for headers with nested groups, unless the store `savesEveryGroup`.
    func announceChord(_ groupID: String, size: Int, savedGroup: [UInt8]?, done: @escaping (StoreFailure?) -> Void)

    /// Reports one header member, after its own meta is stored. Reporting the same member twice counts once.
    func returnPart(_ part: ChordPart, done: @escaping (Result<ChordAnswer, StoreFailure>) -> Void)

    /// Prolongs the claim before the body is published; false: somebody else has it now, publish nothing.
    func keepClaim(_ claim: ChordClaim, done: @escaping (Result<Bool, StoreFailure>) -> Void)

    /// The body is published: forget the parts, remember that it is done.
    func finishChord(_ claim: ChordClaim, done: @escaping (StoreFailure?) -> Void)

    /// The chord failed and its body's id says so: late parts must not fail it again.
    func failChord(_ claim: ChordClaim, done: @escaping (StoreFailure?) -> Void)

    /// One member more (`add_to_chord`).
    func addToChord(_ groupID: String, done: @escaping (StoreFailure?) -> Void)
}

extension ChordStore {
    public var savesEveryGroup: Bool { false }
}

public struct ChordPart: Sendable {
    public var groupID: String
    /// nil sorts last.
    public var groupIndex: Int?
    public var taskID: String
    /// SUCCESS, FAILURE or REVOKED.
    public var state: TaskState
    /// JSON: the result, or the exception object of celery-protocol.md §4.2.
    public var value: [UInt8]

    public init(groupID: String, groupIndex: Int?, taskID: String, state: TaskState, value: [UInt8]) {
        self.groupID = groupID
        self.groupIndex = groupIndex
        self.taskID = taskID
        self.state = state
        self.value = value
    }
}

public struct ChordClaim: Sendable, Hashable {
    public var groupID: String
    public var token: String

    public init(groupID: String, token: String) {
        self.groupID = groupID
        self.token = token
    }
}

public enum ChordAnswer: Sendable {
    /// Others are missing, or somebody else publishes the body.
    case waiting
    /// All parts are in and we are to publish the body. In order; each JSON `[1, task id, state, value]`.
    case complete(ChordClaim, parts: [[UInt8]])
    /// All parts are in, but a member's result could not be joined in time.
    case unjoinable(ChordClaim, reason: String)
}
