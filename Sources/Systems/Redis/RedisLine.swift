// One connection to Redis and the commands that wait for it: asked again after a loss, or when Redis refused them for now.
import Glibc
import Ports
import TaskModel

/// Belongs to the loop's thread. Many commands are under way at once; the answers come in order.
final class RedisLine {
    enum Event {
        /// Also after `refusing`.
        case up
        case down(reason: String, retryInSeconds: Double)
        /// The link is up, but what is asked has to wait.
        case refusing(reason: String, retryInSeconds: Double)
        /// It will not work like this (wrong password); tried again all the same, slowly.
        case refused(StoreFailure)
    }

    /// Sequences under way at once: what a loss of the link makes us repeat.
    private static let maxUnderWay = 512
    private static let refusalBackoff = Backoff(initial: 0.2, max: 5)

    let address: RedisAddress
    private let loop: any EventLoop
    private let maxWaiting: Int
    private let maxWaitingBytes: Int
    private var waitingBytes = 0
    private var report: (Event) -> Void = { _ in }
    private var link: RedisLink?
    private var waiting: [RedisRequest] = []
    private var underWay = 0
    /// Why nothing can be asked until the link is up again.
    private var refusal: StoreFailure?
    /// Redis is up and refuses writes for now.
    private var refusalTimer: (any LoopTimer)?
    private var refusalBackoff = refusalBackoff
    private var isClosed = false

    /// - Parameters:
    ///   - maxWaiting: questions that may wait; what comes beyond is refused (not permanently).
    ///   - maxWaitingBytes: of these together, as far as they say (`RedisRequest.bytes`).
    init(address: RedisAddress, loop: any EventLoop, maxWaiting: Int, maxWaitingBytes: Int = 256 << 20) {
        self.address = address
        self.loop = loop
        self.maxWaiting = maxWaiting
        self.maxWaitingBytes = maxWaitingBytes
    }

    var isUp: Bool { link?.isUp ?? false }

    func connect(report: @escaping (Event) -> Void) {
        self.report = report
        let link = RedisLink(address: address, loop: loop) { [weak self] event in self?.linkChanged(event) }
        self.link = link
        link.connect()
    }

    /// What waits is given up, and said so.
    func close() {
        isClosed = true
        refusalTimer?.cancel()
        giveUpWaiting(StoreFailure("The connection to \(address) was closed before it was done"))
        link?.close()
        link = nil
        report = { _ in }
    }

    /// Once, now: answered with `.linkLost` when there is no link, or when it breaks.
    func send(_ words: [[UInt8]], done: @escaping (RedisReply) -> Void) {
        guard let link, link.isUp else { return done(.linkLost) }
        link.send(words, done: done)
    }

    /// What was asked is on its way when this returns, as far as the kernel takes it.
    func flush() { link?.flush() }

    /// One command, sent again after a loss of the link: it must bear being done twice.
    func ask(_ words: [[UInt8]], done: @escaping (Result<RedisReply, StoreFailure>) -> Void) {
        var answer = RedisReply.none
        add(
            RedisRequest(
                bytes: words.reduce(0) { $0 + $1.count },
                done: { failure in done(failure.map(Result.failure) ?? .success(answer)) }
            ) {
                [weak self] request in
                self?.send(words) { reply in
                    guard let self, self.check(reply, request) else { return }
                    answer = reply
                    self.finish(request)
                }
            })
    }

    /// As `ask`, for a command whose refusal changes nothing: its answer is not looked at.
    /// - Parameters:
    ///   - reason: why nothing depends on it.
    ///   - done: called once it was answered, refused or given up.
    func sendBestEffort(_ words: [[UInt8]], because reason: StaticString, done: @escaping () -> Void = {}) {
        ask(words) { _ in done() }  // ignored by name
    }

    /// Once, now, or not at all: as `send`, for a command whose refusal changes nothing.
    /// - Parameter reason: why nothing depends on it.
    func sendOnceBestEffort(_ words: [[UInt8]], because reason: StaticString) {
        send(words) { _ in }  // ignored by name
    }

    /// As `connect`, where the same events are reported by another link to the same server.
    /// - Parameter reporter: which one.
    func connectUnreported(reportedBy reporter: StaticString) {
        connect { _ in }  // ignored by name
    }

    func add(_ request: RedisRequest) {
        let failure: StoreFailure? =
            if isClosed {
                StoreFailure("The connection to \(address) is closed")
            } else if let refusal {
                refusal
            } else if waiting.count >= maxWaiting || waitingBytes + request.bytes > maxWaitingBytes, !waiting.isEmpty {
                StoreFailure(
                    "\(waiting.count) questions of \(waitingBytes) bytes already wait for \(address)",
                    fix: "See why it is not reachable")
            } else {
                nil
            }
        if let failure {
            _ = loop.schedule(afterSeconds: 0) { request.done(failure) }
            return
        }
        wait(request)
        pump()
    }

    private func wait(_ request: RedisRequest) {
        waiting.append(request)
        waitingBytes += request.bytes
    }

    private func pump() {
        guard let link, link.isUp, refusalTimer == nil, !waiting.isEmpty, underWay < Self.maxUnderWay else { return }
        let batch = Array(waiting.prefix(Self.maxUnderWay - underWay))
        waiting.removeFirst(batch.count)
        for request in batch { waitingBytes -= request.bytes }
        underWay += batch.count
        for request in batch { request.begin(request) }
    }

    /// False when the request has to wait, or has failed.
    func check(_ reply: RedisReply, _ request: RedisRequest) -> Bool {
        if case .linkLost = reply {
            underWay -= 1
            if isClosed {
                request.done(StoreFailure("The connection to \(address) was closed before the answer came"))
            } else {
                wait(request)
            }
            return false
        }
        guard let text = reply.errorText else { return true }
        underWay -= 1
        switch RedisErrorKind(text, at: address) {
        case .transient(let reason):
            wait(request)
            pause(reason)
        case .wrongServer(let reason):
            wait(request)
            link?.drop(reason)
        case .failed(let failure):
            request.done(failure)
            pump()
        }
        return false
    }

    func finish(_ request: RedisRequest) {
        underWay -= 1
        if refusalBackoff.attempts > 0, refusalTimer == nil {
            refusalBackoff.reset()
            report(.up)
        }
        request.done(nil)
        pump()
    }

    private func pause(_ reason: String) {
        guard refusalTimer == nil else { return }
        let seconds = refusalBackoff.next()
        refusalTimer = loop.schedule(afterSeconds: seconds) { [weak self] in
            self?.refusalTimer = nil
            self?.pump()
        }
        report(.refusing(reason: reason, retryInSeconds: seconds))
    }

    private func linkChanged(_ event: RedisLink.Event) {
        switch event {
        case .up:
            refusal = nil
            refusalTimer?.cancel()
            refusalTimer = nil
            refusalBackoff.reset()
            report(.up)
            pump()
        case .down(let reason, let seconds):
            report(.down(reason: reason, retryInSeconds: seconds))
        case .refused(let failure):
            refusal = failure
            giveUpWaiting(failure)
            report(.refused(failure))
        }
    }

    private func giveUpWaiting(_ failure: StoreFailure) {
        let given = waiting
        waiting = []
        waitingBytes = 0
        for request in given { request.done(failure) }
    }
}

/// Something to ask of Redis, from its first command; begun again after a loss of the link.
final class RedisRequest {
    let begin: (RedisRequest) -> Void
    let done: (StoreFailure?) -> Void
    /// What it keeps in memory while it waits.
    let bytes: Int

    init(bytes: Int = 0, done: @escaping (StoreFailure?) -> Void, begin: @escaping (RedisRequest) -> Void) {
        self.bytes = bytes
        self.begin = begin
        self.done = done
    }
}
