// What can go wrong between a program and its tasks.
public import TaskhostJSON

public enum ClientError: Error, Sendable, CustomStringConvertible {
    /// An address or option that cannot work; the text names the fix.
    case configuration(String)
    /// The broker or the store refuses us, or the message; trying again will not help.
    case refused(String)
    /// The operating system gives no more threads or descriptors.
    case system(String)
    /// Nothing decided within the time given. What was sent may still be done.
    case timedOut(String)
    /// An argument that JSON cannot hold.
    case argument(String)
    /// The result has another shape than asked for.
    case unexpectedResult(String)
    /// No results are kept: the client was made without a backend.
    case noBackend
    /// The client was closed.
    case closed

    public var description: String {
        switch self {
        case .configuration(let text), .refused(let text), .system(let text), .timedOut(let text),
            .argument(let text), .unexpectedResult(let text):
            text
        case .noBackend: "no results are kept: name a backend when making the client"
        case .closed: "the client was closed"
        }
    }
}

/// The task failed or was revoked: thrown where its result was awaited.
public struct TaskFailed: Error, Sendable, CustomStringConvertible {
    public var taskID: String
    /// FAILURE or REVOKED.
    public var state: String
    /// The exception's class, e.g. "ValueError".
    public var type: String
    /// Its module, e.g. "builtins"; nil: not said.
    public var module: String?
    /// Its constructor arguments.
    public var arguments: [JSON]
    /// What Python's `str` makes of it.
    public var message: String
    public var traceback: String?

    public var description: String { message.isEmpty ? type : "\(type): \(message)" }
}
