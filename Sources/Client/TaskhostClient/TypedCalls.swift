// Tasks called by their declaration: names, arguments and results that the compiler checks.
import TaskhostJSON
public import TaskhostSDK

extension TaskhostClient {
    /// Sends a task with the properties of `call` as its keyword arguments; returns once the broker holds it.
    ///
    ///     let picture = try await client.send(Resize(path: "a.jpg", width: 3)).get(timeout: .seconds(10))
    @discardableResult
    public func send<Call: TaskDeclaration>(
        _ call: Call, options: CallOptions = CallOptions()
    ) async throws -> TaskResult<Call.Output> {
        TaskResult(try await send(try Signature(call).options { $0 = options }))
    }
}

extension Signature {
    /// A call for a canvas. In a chain, what comes before it gives the first argument by position: then that property
    /// must not be among those of `call`; write `TaskName(Resize.taskName)(kwargs: …)`. Where TaskhostSDK is imported as
    /// well, this one is meant: dates and bytes are written as Celery writes them.
    /// - Throws: `ClientError.argument`: a property cannot be sent as JSON.
    public init<Call: TaskDeclaration>(_ call: Call) throws(ClientError) {
        guard let members = try ValueCoding.json(call).members else {
            throw .argument("\(type(of: call)) has no properties that could be arguments")
        }
        let keywords = Dictionary(members.map { ($0.key, $0.value) }) { _, last in last }
        self.init(Call.taskName, arguments: [], keywords: keywords)
    }
}

/// The result of a task whose type is known.
public struct TaskResult<Output: Sendable>: Sendable, Identifiable {
    /// The same without its type: states, progress, children, revocation.
    public let untyped: AsyncResult
    public var id: String { untyped.id }

    /// For a result known by its id: `TaskResult<Picture>(client.result(of: id))`.
    public init(_ untyped: AsyncResult) { self.untyped = untyped }
}

extension TaskResult where Output: Decodable {
    /// Waits for the task's end.
    /// - Parameter timeout: nil: as long as it takes.
    /// - Throws: `TaskFailed` when the task failed or was revoked; `ClientError.timedOut`; `CancellationError`.
    public func get(timeout: Duration? = nil) async throws -> Output {
        try await untyped.get(as: Output.self, timeout: timeout)
    }
}

extension TaskResult where Output == Void {
    /// The same for a task that returns nothing.
    public func get(timeout: Duration? = nil) async throws {
        _ = try await untyped.value(timeout: timeout)
    }
}

/// What a caller knows of a task, for programs that have no module in common with the bundle:
///
///     struct Add: TaskDeclaration {
///         static let taskName = "demo.add"
///         typealias Output = Int
///         var x: Int, y: Int
///     }
public typealias TaskDeclaration = TaskhostSDK.TaskDeclaration
