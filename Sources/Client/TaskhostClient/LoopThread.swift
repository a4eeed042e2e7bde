// The thread on which brokers and stores live, and the only door to it.
import Glibc
import Loop
import Ports
import Synchronization

/// Runs a loop on a thread of its own. The core belongs to that thread; everybody else posts.
///
/// `@unchecked Sendable`: `core` is touched by posted work only, which the loop runs one after the other.
final class LoopThread: @unchecked Sendable {
    private let core: ClientCore
    private let mailbox: Mailbox
    private let isClosed = Mutex(false)
    /// Results come once, as messages to this client: they must be awaited before the task is sent.
    let resultsComeOnce: Bool
    /// Where such results are to be sent.
    let replyTo: String?

    init(_ address: ClientAddresses, options: ClientOptions) throws(ClientError) {
        let loop: EpollLoop
        do {
            loop = try EpollLoop()
        } catch {
            throw .system("\(error)")
        }
        core = try ClientCore(loop: loop, addresses: address, options: options)
        mailbox = loop.mailbox
        resultsComeOnce = core.resultsComeOnce
        replyTo = core.store?.replyTo
        let carried = Confined(core)
        guard OwnThread.run({ carried.value.run() }) else { throw .system("the system gives no more threads") }
    }

    deinit {
        isClosed.withLock { isClosed in
            guard !isClosed else { return }
            let carried = Confined(core)
            mailbox.post { carried.value.close {} }
        }
    }

    /// False: closed, the work will not be done.
    @discardableResult
    func post(_ work: @escaping @Sendable (ClientCore) -> Void) -> Bool {
        isClosed.withLock { isClosed in
            guard !isClosed else { return false }
            let carried = Confined(core)
            mailbox.post { work(carried.value) }
            return true
        }
    }

    /// Begins something on the loop's thread and waits until it is decided, time is up or the task is cancelled.
    /// - Parameters:
    ///   - lack: what is missing when time is up.
    ///   - limit: nil: as long as it takes.
    func ask<Value: Sendable>(
        _ lack: String, limit: Duration?,
        _ begin: @escaping @Sendable (ClientCore, Reply<Value>) -> Void
    ) async throws -> Value {
        let ticket = Ticket.next()
        let cancel: @Sendable () -> Void = { [self] in
            post { $0.abandon(ticket, CancellationError()) }
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isPosted = post { core in
                    let reply = Reply<Value>(continuation)
                    core.expect(reply, ticket, limit: limit, lack: lack)
                    if !reply.isDecided { begin(core, reply) }
                }
                guard isPosted else { return continuation.resume(throwing: ClientError.closed) }
                // The handler may have run before there was anything to cancel.
                if Task.isCancelled { cancel() }
            }
        } onCancel: {
            cancel()
        }
    }

    func close() async {
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            let isFirst = isClosed.withLock { isClosed in
                guard !isClosed else { return false }
                isClosed = true
                let carried = Confined(core)
                mailbox.post { carried.value.close { done.resume() } }
                return true
            }
            if !isFirst { done.resume() }
        }
    }
}

/// Carries something confined to the loop's thread through a closure that ends up there.
struct Confined<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

/// Numbers of what is asked of the loop's thread.
enum Ticket {
    private static let last = Atomic<UInt64>(0)

    static func next() -> UInt64 { last.wrappingAdd(1, ordering: .relaxed).newValue }
}
