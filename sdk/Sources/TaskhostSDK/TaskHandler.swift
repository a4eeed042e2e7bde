// The protocol an author's task conforms to.

/// One kind of task: its stored properties are the arguments, `run` is the work, what `run` returns is the result.
///
///     struct Add: TaskHandler {
///         @Arg var x: Double
///         @Arg var y = 0.5
///         func run(_ task: TaskContext) -> Double { x + y }
///     }
///
/// * Every stored property is an `@Arg`; arguments bind by position (in the order of declaration) and by keyword, as
///   Python binds them.
/// * `run` may be plain, `throws`, `async`, or `@MainActor`. It starts on the only thread of a process of its own.
/// * `Output` is `Encodable`, or `Void` for JSON's null.
///
/// A value of the type is made for each task; nothing of it outlives the task.
public protocol TaskHandler: Decodable, Sendable {
    associatedtype Output: Sendable

    /// Name, limits, retries and the like. Read once, while the bundle loads.
    static var options: TaskOptions { get }

    /// The compiler writes it when every property is an `@Arg`. Called once while the bundle loads, to learn defaults.
    init()

    /// Throw `Retry`, `Reject` or `Ignore` to end the task that way; any other error is its failure.
    func run(_ task: TaskContext) async throws -> Output
}

extension TaskHandler {
    /// Only for the compiler's sentence: it takes this where it cannot write `init()` itself.
    @available(
        *, unavailable,
        message: "write @Arg before each parameter of the task (@Arg var x: Int), and give other properties a default"
    )
    public init() { fatalError("unavailable") }
}

extension TaskHandler {
    public static var options: TaskOptions { TaskOptions() }
}
