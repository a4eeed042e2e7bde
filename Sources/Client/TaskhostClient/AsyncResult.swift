// A task sent, and what comes of it.
import CeleryWire
import Client
import Ports
import TaskModel
public import TaskhostJSON

/// The result of one task. While it exists nothing of the result is missed, also over rpc://, which keeps nothing.
public final class AsyncResult: Sendable, Identifiable {
    public let id: String
    /// What came before it: the step before in its chain, the header of its chord.
    public let parent: ResultNode?
    let thread: LoopThread

    init(_ id: String, parent: ResultNode? = nil, _ thread: LoopThread) {
        self.id = id
        self.parent = parent
        self.thread = thread
        if thread.resultsComeOnce { thread.post { $0.results.hold(id) } }
    }

    deinit {
        if thread.resultsComeOnce { thread.post { [id] in $0.results.release(id) } }
    }

    /// Waits for the task's end and decodes what it returned.
    /// - Parameter timeout: nil: as long as it takes.
    /// - Throws: `TaskFailed` when the task failed or was revoked; `ClientError.timedOut`; `CancellationError`.
    public func get<Value: Decodable>(
        as type: Value.Type = Value.self, timeout: Duration? = nil
    ) async throws -> Value {
        try ValueCoding.decode(type, from: try await value(timeout: timeout))
    }

    /// The same, undecoded.
    public func value(timeout: Duration? = nil) async throws -> JSON {
        let id = id
        let meta: ReceivedMeta = try await thread.ask("no result of \(id); the task goes on", limit: timeout) {
            core, reply in
            guard core.store != nil else { return reply.fail(ClientError.noBackend) }
            let ticket = core.results.listen(id) { meta in
                if meta.isFinal { reply.succeed(meta) }
            }
            reply.whenDecided { core.results.unlisten(id, ticket) }
        }
        guard meta.state == .success else { throw meta.failure(of: id) }
        return meta.result
    }

    /// State and value as known now.
    public var update: TaskUpdate {
        get async throws { TaskUpdate(try await meta()) }
    }

    /// PENDING as long as nothing is known: such a task may wait, or never have existed.
    public var state: String {
        get async throws { try await update.state }
    }

    /// It ended, one way or the other.
    public var isReady: Bool {
        get async throws { try await update.isFinal }
    }

    /// What the task itself sent, as results: callbacks, the next step of its chain, a group.
    public var children: [ResultNode] {
        get async throws {
            let children = try await meta()?.children ?? []
            return children.compactMap { ResultNode($0, thread) }
        }
    }

    /// Each state from now on, the present one first, up to the final one.
    ///
    /// States that follow each other quickly may be left out, the final one never is.
    public func updates() -> AsyncThrowingStream<TaskUpdate, any Error> {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: TaskUpdate.self)
        let id = id
        let ticket = Ticket.next()
        let isPosted = thread.post { core in
            guard core.store != nil else { return continuation.finish(throwing: ClientError.noBackend) }
            core.openStream(ticket) { continuation.finish(throwing: $0) }
            let listening = core.results.listen(id) { meta in
                continuation.yield(TaskUpdate(meta))
                if meta.isFinal { continuation.finish() }
            }
            core.whenStreamCloses(ticket) { core.results.unlisten(id, listening) }
        }
        guard isPosted else {
            continuation.finish(throwing: ClientError.closed)
            return stream
        }
        continuation.onTermination = { [thread] _ in
            thread.post { $0.closeStream(ticket) }
        }
        return stream
    }

    /// Has the store forget the result.
    public func forget() async throws {
        let id = id
        try await thread.ask("no answer of the result store", limit: .seconds(10)) { (core, reply: Reply<Void>) in
            guard let store = core.store else { return reply.fail(ClientError.noBackend) }
            core.results.forget(id)
            store.forget(id) { failure in
                if let failure { reply.fail(ClientError.refused(failure.description)) } else { reply.succeed(()) }
            }
        }
    }

    private func meta() async throws -> ReceivedMeta? {
        let id = id
        return try await thread.ask("no answer of the result store", limit: .seconds(10)) { core, reply in
            guard core.store != nil else { return reply.fail(ClientError.noBackend) }
            if let known = core.results.known(id) { return reply.succeed(known) }
            core.client.fetch(id) { answer in
                switch answer {
                case .success(let meta): reply.succeed(meta)
                case .failure(let failure): reply.fail(ClientError.refused(failure.description))
                }
            }
        }
    }
}
