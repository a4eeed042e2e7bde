// The door for Swift programs: sends tasks, gives their results.
@_exported public import TaskhostJSON

/// Sends tasks to taskhost's and Python's Celery workers and reads their results.
///
///     let client = try TaskhostClient(broker: "amqp://guest:guest@localhost//", backend: "redis://localhost/0")
///     let sum: Int = try await client.send("demo.add", 4, 6).get(timeout: .seconds(10))
///
/// Links are made when first needed and kept up; everything waits for them at most as long as it says. One client
/// serves any number of tasks at once. Its links end with `close`, or when it and all its results are gone.
public final class TaskhostClient: Sendable {
    let thread: LoopThread
    public let options: ClientOptions

    /// Connects in the background; an unreachable broker shows in the first `send`.
    /// - Parameters:
    ///   - broker: `amqp://…`, `redis://…`, `sqlite:///PATH`, as Celery and taskhost write it.
    ///   - backend: `redis://…`, `postgresql://…`, `mysql://…`, `rpc://`, `sqlite:///PATH` or `none`; nil: what goes
    ///     with the broker, the same file or Redis, or rpc://.
    /// - Throws: `ClientError.configuration` for addresses that cannot work.
    public init(
        broker: String, backend: String? = nil, options: ClientOptions = ClientOptions()
    ) throws(ClientError) {
        let addresses = try ClientAddresses(broker: broker, backend: backend)
        self.options = options
        thread = try LoopThread(addresses, options: options)
    }

    /// Sends one task; returns once the broker holds it.
    @discardableResult
    public func send(
        _ task: String, _ arguments: any Encodable & Sendable..., kwargs: [String: any Encodable & Sendable] = [:],
        options: CallOptions = CallOptions()
    ) async throws -> AsyncResult {
        try await send(try Signature(task, args: arguments, kwargs: kwargs).options { $0 = options })
    }

    /// A result known by its id, sent by any client. Over rpc:// only results of tasks sent from here ever arrive.
    public func result(of taskID: String) -> AsyncResult { AsyncResult(taskID, thread) }

    /// Writes out what is owed and ends the links; calls that still wait get `ClientError.closed`.
    public func close() async { await thread.close() }
}
