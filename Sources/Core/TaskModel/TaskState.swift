/// States as Celery stores them. Custom states ("PROGRESS" …) are any other upper-case word.
public struct TaskState: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
    public var rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    public static let pending = TaskState(rawValue: "PENDING")
    public static let started = TaskState(rawValue: "STARTED")
    public static let retry = TaskState(rawValue: "RETRY")
    public static let success = TaskState(rawValue: "SUCCESS")
    public static let failure = TaskState(rawValue: "FAILURE")
    public static let revoked = TaskState(rawValue: "REVOKED")

    /// No further state follows.
    public var isFinal: Bool { self == .success || self == .failure || self == .revoked }

    /// How a task, or an attempt at it, ends: clients read what lies under it as a result or an exception. No state that
    /// a task may give itself.
    public var isOutcome: Bool { isFinal || self == .retry }

    public var description: String { rawValue }
}
