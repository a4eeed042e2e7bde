// One connection to a memcached server, kept up; after a loss made again, with back-off and jitter.
import Glibc
import Ports
import TaskModel

/// Belongs to the loop's thread. Many commands are under way at once; the answers come in order.
final class MemcachedLink {
    enum Event {
        case up
        case down(reason: String, retryInSeconds: Double)
    }

    let server: MemcachedAddress.Server
    private let loop: any EventLoop
    private let report: (Event) -> Void
    private var socket: ServerSocket?
    private var reader = ReplyReader()
    private var watch: (any LoopWatch)?
    private var isConnected = false
    /// Asked, in order, each waiting for its answer.
    private var asked: [(MemcachedReply?) -> Void] = []
    /// Of `asked`, those that are answered.
    private var answered = 0
    private var backoff = Backoff(initial: 0.1, max: 1, jitter: Backoff.upperHalf)
    private var timer: (any LoopTimer)?
    private var watchdog: (any LoopTimer)?
    private var hasHeard = true
    private var upSince: Instant?
    private var isClosed = false
    private(set) var isUp = false
    /// Grows with each attempt: what belongs to an earlier one is dropped.
    private var attempt = 0

    /// After so long a link has been good, and the next attempt after its loss comes soon.
    private static let goodSeconds = 1.0
    private static let silenceSeconds = 10.0

    init(server: MemcachedAddress.Server, loop: any EventLoop, report: @escaping (Event) -> Void) {
        self.server = server
        self.loop = loop
        self.report = report
    }

    func connect() {
        guard socket == nil, !isClosed else { return }
        attempt += 1
        let number = attempt
        switch server.place {
        case .socket(let path): begin(ServerSocket(path: path))
        case .host(let name, let port):
            HostLookup.resolve(name, on: loop) { [weak self] answer in
                guard let self, number == attempt, !isClosed else { return }
                switch answer {
                // In turn: "localhost" is often ::1 first, where memcached does not listen.
                case .success(let found): begin(ServerSocket(address: found[number % found.count], port: port))
                case .failure(let failure): retry(failure.description)
                }
            }
        }
    }

    private func begin(_ made: ServerSocket?) {
        guard let made else { return retry(ServerSocket.text(errno)) }
        socket = made
        reader = ReplyReader()
        hasHeard = false
        startWatchdog()
        watch = loop.watch(made.descriptor, for: .write) { [weak self] ready in self?.ready(ready) }
    }

    /// - Parameter done: called once; with nil when the link breaks before the answer.
    func send(_ command: MemcachedCommand, done: @escaping (MemcachedReply?) -> Void) {
        guard let socket, isConnected else { return done(nil) }
        if asked.count == answered { hasHeard = false }
        asked.append(done)
        socket.write { command.append(to: &$0) }
    }

    /// Writes what has been asked since the last time.
    func flush() {
        guard let socket, isConnected else { return }
        switch socket.flush() {
        case .done: watch?.change(to: .read)
        case .wait: watch?.change(to: [.read, .write])
        case .failed(let reason): dropLater(reason)
        }
    }

    private func ready(_ ready: Readiness) {
        guard let socket else { return }
        guard isConnected else {
            switch socket.connected() {
            case .done: greet()
            case .wait: break
            case .failed(let reason): drop(reason)
            }
            return
        }
        if !ready.isDisjoint(with: [.read, .hangup]) { receive(socket) }
        if self.socket === socket, ready.contains(.write) { flush() }
    }

    /// Who listens there?
    private func greet() {
        isConnected = true
        let number = attempt
        send(.version) { [weak self] reply in
            guard let self, number == attempt, let reply else { return }
            guard let word = reply.word, word.hasPrefix("VERSION ") else {
                return dropLater("it answers \"version\" with \"\(reply.word ?? "?")\": is it memcached?")
            }
            upSince = loop.clocks.monotonic
            isUp = true
            report(.up)
        }
        flush()
    }

    private func receive(_ socket: ServerSocket) {
        hasHeard = true
        let progress = socket.read { reader.add($0) }
        do throws(ReplyReader.Garbled) {
            // An answer may lead its owner to close or drop the link.
            while self.socket === socket, let reply = try reader.next() {
                guard answered < asked.count else {
                    // With nothing asked: a farewell, as when there are too many connections.
                    return drop(reply.word ?? "it says what was not asked")
                }
                let done = asked[answered]
                answered += 1
                done(reply)
            }
        } catch {
            return drop(error.detail)
        }
        if answered > 512 || answered == asked.count {
            asked.removeFirst(answered)
            answered = 0
        }
        guard self.socket === socket else { return }
        if case .failed(let reason) = progress { drop(reason) }
    }

    /// Breaks the link; a new one is made after the usual pause.
    func drop(_ reason: String) {
        guard socket != nil else { return }
        end()
        retry(reason)
    }

    /// Not from within the owner's call, or an answer's.
    private func dropLater(_ reason: String) {
        let number = attempt
        _ = loop.schedule(afterSeconds: 0) { [weak self] in
            guard let self, number == attempt else { return }
            drop(reason)
        }
    }

    func close() {
        isClosed = true
        timer?.cancel()
        end()
    }

    private func end() {
        watchdog?.cancel()
        watch?.cancel()
        watch = nil
        socket = nil
        isConnected = false
        isUp = false
        attempt += 1
        let unanswered = asked[answered...]
        asked = []
        answered = 0
        for done in unanswered { done(nil) }
    }

    private func retry(_ reason: String) {
        if let since = upSince, loop.clocks.monotonic.seconds(since: since) >= Self.goodSeconds { backoff.reset() }
        upSince = nil
        guard !isClosed else { return }
        let wait = backoff.next()
        timer?.cancel()
        timer = loop.schedule(afterSeconds: wait) { [weak self] in self?.connect() }
        report(.down(reason: "memcached at \(server): \(reason)", retryInSeconds: wait))
    }

    /// A server that takes commands and says nothing for so long is as good as gone.
    private func startWatchdog() {
        watchdog?.cancel()
        watchdog = loop.schedule(afterSeconds: Self.silenceSeconds) { [weak self] in
            guard let self, socket != nil else { return }
            let isWaiting = answered < asked.count || !isUp
            if !hasHeard, isWaiting { return drop("no answer for \(Int(Self.silenceSeconds)) s") }
            hasHeard = !isWaiting
            startWatchdog()
        }
    }
}
