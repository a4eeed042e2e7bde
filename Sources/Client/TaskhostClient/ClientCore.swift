// What a client is on its loop's thread: links, results looked for, answers owed.
import Client
import FoundationEssentials
import Loop
import Ports
import TaskModel
import Transports

final class ClientCore {
    let loop: EpollLoop
    let client: TaskClient
    let store: (any ResultStore)?
    let results: ResultTracker
    let options: ClientOptions
    let resultsComeOnce: Bool
    private var pending: [UInt64: any PendingReply] = [:]
    private var streams: [UInt64: OpenStream] = [:]
    /// Why the links are not up, as last reported.
    private var lastProblem: String?
    /// Why nothing will ever be sent.
    private var refusal: ClientError?

    init(loop: EpollLoop, addresses: ClientAddresses, options: ClientOptions) throws(ClientError) {
        self.loop = loop
        self.options = options
        let systems = try ClientSystems(addresses, redisKeyPrefix: options.redisKeyPrefix, loop: loop)
        store = systems.store
        client = TaskClient(
            broker: systems.broker, store: systems.store, control: systems.control, origin: options.origin)
        results = ResultTracker(client: client)
        resultsComeOnce = addresses.results.isDirect
    }

    /// The thread's whole life.
    func run() {
        client.connect(ready: { [unowned self] in lastProblem = nil }, failed: { [unowned self] in note($0) })
        loop.run()
    }

    private func note(_ problem: ConnectionProblem) {
        lastProblem = problem.description
        guard case .refused(let failure) = problem else { return }
        refusal = .refused(failure.description)
        failAll(ClientError.refused(failure.description))
    }

    // ---- answers owed ----

    /// - Parameter lack: what is missing when time is up.
    func expect(_ reply: any PendingReply, _ ticket: UInt64, limit: Duration?, lack: String) {
        if let refusal { return reply.fail(refusal) }
        pending[ticket] = reply
        reply.whenDecided { [unowned self] in pending[ticket] = nil }
        guard let limit else { return }
        let timer = loop.schedule(afterSeconds: max(0, limit.inSeconds)) { [unowned self, unowned reply] in
            let why = lastProblem.map { " (\($0))" } ?? ""
            reply.fail(ClientError.timedOut("\(lack), after \(limit)\(why)"))
        }
        reply.whenDecided { timer.cancel() }
    }

    func abandon(_ ticket: UInt64, _ error: any Error) { pending[ticket]?.fail(error) }

    // ---- streams ----

    private struct OpenStream {
        var end: (any Error) -> Void
        var cleanup: () -> Void = {}
    }

    /// - Parameter end: called with why when the client is closed.
    func openStream(_ ticket: UInt64, end: @escaping (any Error) -> Void) { streams[ticket] = OpenStream(end: end) }

    func whenStreamCloses(_ ticket: UInt64, _ cleanup: @escaping () -> Void) { streams[ticket]?.cleanup = cleanup }

    func closeStream(_ ticket: UInt64) { streams.removeValue(forKey: ticket)?.cleanup() }

    private func failAll(_ error: any Error) {
        for reply in pending.values { reply.fail(error) }
        let open = Array(streams.values)
        streams = [:]
        for stream in open {
            stream.cleanup()
            stream.end(error)
        }
    }

    /// Writes out what is owed; calls that still wait fail.
    func close(_ done: @escaping () -> Void) {
        failAll(ClientError.closed)
        results.close()
        var isOver = false
        let end = { [loop] in
            guard !isOver else { return }
            isOver = true
            loop.stop()
            done()
        }
        // An unreachable broker must not keep the program.
        _ = loop.schedule(afterSeconds: 6, end)
        // In a turn of its own: a link is not to be closed from within its own callback.
        _ = loop.schedule(afterSeconds: 0) { [client] in client.close(done: end) }
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
