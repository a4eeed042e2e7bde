// What waits for one memcached server: sent once its link is up, again after a loss, or when it had no room.
import Ports
import TaskModel

/// Belongs to the loop's thread.
final class MemcachedLine {
    enum Event {
        /// Also when it takes what it refused before.
        case up
        case down(reason: String, retryInSeconds: Double)
    }

    /// When the link breaks before the answer.
    private enum Loss {
        /// It is asked again: it bears being done twice.
        case again
        /// Nobody knows whether it was done.
        case unknown
    }

    private struct Request {
        let command: MemcachedCommand
        let loss: Loss
        /// nil: lost.
        let done: (Result<MemcachedReply, StoreFailure>?) -> Void
    }

    /// What may wait; what comes beyond is refused (not permanently), but for what continues something begun.
    private static let maxWaiting = 100_000
    private static let maxWaitingBytes = 256 << 20
    /// Under way at once: what a loss of the link makes us repeat.
    private static let maxUnderWay = 512

    let server: MemcachedAddress.Server
    private let loop: any EventLoop
    private let report: (Event) -> Void
    private var link: MemcachedLink?
    private var waiting: [Request] = []
    private var waitingBytes = 0
    private var underWay = 0
    /// To be asked again, in their order, before what waits.
    private var returned: [Request] = []
    /// It is up and has no room for now.
    private var fullTimer: (any LoopTimer)?
    private var fullBackoff = Backoff(initial: 0.2, max: 5)
    private var isClosed = false

    init(server: MemcachedAddress.Server, loop: any EventLoop, report: @escaping (Event) -> Void) {
        self.server = server
        self.loop = loop
        self.report = report
    }

    func connect() {
        let link = MemcachedLink(server: server, loop: loop) { [weak self] event in self?.linkChanged(event) }
        self.link = link
        link.connect()
    }

    /// What waits is given up, and said so.
    func close() {
        isClosed = true
        fullTimer?.cancel()
        link?.close()
        link = nil
        let given = returned + waiting
        (returned, waiting, waitingBytes) = ([], [], 0)
        let failure = closed
        for request in given { request.done(.failure(failure)) }
    }

    private var closed: StoreFailure { StoreFailure("The connection to memcached at \(server) was closed") }

    /// - Parameter continues: something that was begun: it is not refused because too much waits.
    func ask(
        _ command: MemcachedCommand, continues: Bool = true,
        done: @escaping (Result<MemcachedReply, StoreFailure>) -> Void
    ) {
        let closed = closed
        add(Request(command: command, loss: .again) { done($0 ?? .failure(closed)) }, continues)
    }

    /// What must not be done twice.
    /// - Parameter done: with nil when it is unknown whether it was done.
    func askOnce(_ command: MemcachedCommand, done: @escaping (Result<MemcachedReply, StoreFailure>?) -> Void) {
        add(Request(command: command, loss: .unknown, done: done), true)
    }

    /// Now, or not at all.
    func askNow(_ command: MemcachedCommand, done: @escaping (MemcachedReply?) -> Void) {
        guard let link, link.isUp else { return done(nil) }
        link.send(command, done: done)
        link.flush()
    }

    private func add(_ request: Request, _ continues: Bool) {
        let isFull = waiting.count >= Self.maxWaiting || waitingBytes + request.command.bytes > Self.maxWaitingBytes
        let failure: StoreFailure? =
            if isClosed {
                closed
            } else if isFull, !continues, !waiting.isEmpty {
                StoreFailure(
                    "\(waiting.count) requests of \(waitingBytes) bytes already wait for memcached at \(server)",
                    fix: "See why it is not reachable")
            } else {
                nil
            }
        if let failure {
            _ = loop.schedule(afterSeconds: 0) { request.done(.failure(failure)) }
            return
        }
        waiting.append(request)
        waitingBytes += request.command.bytes
        pump()
    }

    private func pump() {
        guard let link, link.isUp, fullTimer == nil, underWay < Self.maxUnderWay, !waiting.isEmpty else { return }
        let batch = Array(waiting.prefix(Self.maxUnderWay - underWay))
        waiting.removeFirst(batch.count)
        for request in batch {
            waitingBytes -= request.command.bytes
            underWay += 1
            link.send(request.command) { [weak self] reply in self?.answered(request, reply) }
        }
        link.flush()
    }

    private func answered(_ request: Request, _ reply: MemcachedReply?) {
        underWay -= 1
        guard let reply else {
            if isClosed { return request.done(.failure(closed)) }
            switch request.loss {
            case .again: returned.append(request)
            case .unknown: request.done(nil)
            }
            return
        }
        switch MemcachedErrorKind(reply, at: server) {
        case nil:
            if fullBackoff.attempts > 0, fullTimer == nil {
                fullBackoff.reset()
                report(.up)
            }
            request.done(.success(reply))
        case .failed(let failure)?: request.done(.failure(failure))
        case .passing(let reason)?:
            returned.append(request)
            rest(reason)
        case .reconnect(let reason)?:
            returned.append(request)
            link?.drop(reason)
        }
        pump()
    }

    private func takeBack() {
        waiting.insert(contentsOf: returned, at: 0)
        waitingBytes += returned.reduce(0) { $0 + $1.command.bytes }
        returned = []
    }

    private func rest(_ reason: String) {
        guard fullTimer == nil else { return }
        let seconds = fullBackoff.next()
        fullTimer = loop.schedule(afterSeconds: seconds) { [weak self] in
            self?.fullTimer = nil
            self?.takeBack()
            self?.pump()
        }
        report(.down(reason: reason, retryInSeconds: seconds))
    }

    private func linkChanged(_ event: MemcachedLink.Event) {
        switch event {
        case .up:
            fullTimer?.cancel()
            fullTimer = nil
            fullBackoff.reset()
            takeBack()
            report(.up)
            pump()
        case .down(let reason, let seconds): report(.down(reason: reason, retryInSeconds: seconds))
        }
    }
}
