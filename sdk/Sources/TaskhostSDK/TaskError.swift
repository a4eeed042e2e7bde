// Failures with a name that clients can catch.

/// An error that says how clients see it. Other errors appear under their type's name in `taskhost.errors`.
public protocol NamedError: Error {
    /// The exception's class for Python clients: "ValueError".
    var errorType: String { get }
    /// The module of that class. "builtins" only for classes Python has; else a name of your own.
    var errorModule: String { get }
    var errorMessage: String { get }
    /// The exception's arguments; nil: the message alone.
    var errorArguments: [JSON]? { get }
}

extension NamedError {
    public var errorType: String { String(describing: Self.self) }
    public var errorModule: String { "taskhost.errors" }
    public var errorMessage: String { String(describing: self) }
    public var errorArguments: [JSON]? { nil }
}

/// `throw TaskError(type: "ValueError", "width must be positive")`
public struct TaskError: NamedError, CustomStringConvertible, Equatable {
    public var errorType: String
    public var errorModule: String
    public var errorMessage: String
    public var errorArguments: [JSON]?

    /// `module` nil: "builtins" for the names of Python's own exceptions, else "taskhost.errors".
    public init(type: String = "TaskError", module: String? = nil, _ message: String, arguments: [JSON]? = nil) {
        errorType = type
        errorModule = module ?? (Self.builtins.contains(type) ? "builtins" : "taskhost.errors")
        errorMessage = message
        errorArguments = arguments
    }

    public var description: String { "\(errorType): \(errorMessage)" }

    /// A name that Python's module has, but for no exception, would be an error in every client: hence a list.
    private static let builtins: Set = [
        "ArithmeticError", "AssertionError", "AttributeError", "BlockingIOError", "BrokenPipeError", "BufferError",
        "ChildProcessError", "ConnectionAbortedError", "ConnectionError", "ConnectionRefusedError",
        "ConnectionResetError", "EOFError", "Exception", "FileExistsError", "FileNotFoundError", "FloatingPointError",
        "IndexError", "InterruptedError", "IsADirectoryError", "KeyError", "LookupError", "MemoryError",
        "NotADirectoryError", "NotImplementedError", "OSError", "OverflowError", "PermissionError",
        "ProcessLookupError", "RecursionError", "RuntimeError", "TimeoutError", "TypeError", "UnicodeError",
        "ValueError", "ZeroDivisionError",
    ]
}

extension TaskError {
    /// What a Decodable type of the author's thought of its value.
    init(_ error: DecodingError, at place: ValuePlace) {
        switch error {
        case .dataCorrupted(let context):
            self.init(type: "ValueError", "\(place): \(context.debugDescription)")
        case .keyNotFound(let key, _):
            self.init(type: "TypeError", "\(place): missing key '\(key.stringValue)'")
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            self.init(type: "TypeError", "\(place): \(context.debugDescription)")
        @unknown default:
            self.init(type: "TypeError", "\(place): \(error)")
        }
    }
}
