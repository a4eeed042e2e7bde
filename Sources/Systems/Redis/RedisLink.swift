// One connection to Redis, kept up: connect, sign in, select; after a loss again, with back-off and jitter.
import CHiredis
import Glibc
import Ports
import TaskModel

/// Belongs to the loop's thread.
final class RedisLink {
    enum Event {
        case up
        case down(reason: String, retryInSeconds: Double)
        /// It will not work like this (wrong password, an unknown certificate). Tried again all the same, slowly: an
        /// operator may mend it.
        case refused(StoreFailure)
    }

    let address: RedisAddress
    private let loop: any EventLoop
    private let report: (Event) -> Void
    private var context: UnsafeMutablePointer<redisAsyncContext>?
    /// Of that context.
    private var events: HiredisEvents?
    /// Between hiredis and a server that speaks TLS; nil: they speak to each other.
    private var carrier: TLSCarrier?
    /// Asking again costs neither side anything, and who asks first once Redis is back should not be late.
    private var backoff = Backoff(initial: 0.1, max: 0.7, jitter: Backoff.upperHalf)
    private var timer: (any LoopTimer)?
    private var watchdog: (any LoopTimer)?
    /// Replies we wait for, and whether any came since the watchdog last looked.
    private var pending = 0
    private var hasAnswered = true
    private var isClosed = false
    private(set) var isUp = false
    private var upSince: Instant?
    private var wasUp = false
    /// Grows with each attempt: answers to earlier ones are ignored.
    private var attempt = 0
    var received: ((_ channel: String, _ payload: [UInt8]) -> Void)?
    var subscribed: ((_ channel: String) -> Void)?
    /// What CLIENT TRACKING reports: keys that changed; nil: perhaps all.
    var invalidated: ((_ keys: [String]?) -> Void)?

    /// After so long a link has been good, and the next attempt after its loss comes soon.
    private static let goodSeconds = 1.0
    private static let refusedBackoff = Backoff(initial: 10, max: 10, jitter: Backoff.upperHalf)
    private static let silenceSeconds = 10.0
    private static let handshakeSeconds = 3.0

    init(address: RedisAddress, loop: any EventLoop, report: @escaping (Event) -> Void) {
        self.address = address
        self.loop = loop
        self.report = report
        loop.atTurnEnd { [weak self] in self?.flush() }
    }

    deinit {
        if let context { Self.free(context) }
    }

    func connect() {
        guard context == nil, !isClosed else { return }
        attempt += 1
        switch address.place {
        case .socket(let path):
            begin(redisAsyncConnectUnix(path))
        case .host(let name, let port):
            let number = attempt
            HostLookup.resolve(name, on: loop) { [weak self] result in
                guard let self, number == attempt, !isClosed else { return }
                switch result {
                case .success(let found):
                    // In turn: "localhost" is often ::1 first, where Redis does not listen.
                    begin(redisAsyncConnect(found[number % found.count], Int32(port)))
                case .failure(let failure): retry(failure.description)
                }
            }
        }
    }

    /// - Parameter done: called once; with `.linkLost` when the link breaks before the answer.
    func send(_ arguments: [[UInt8]], done: @escaping (RedisReply) -> Void) {
        guard let context else { return done(.linkLost) }
        pending += 1
        let waiting = PendingReply { [weak self] reply in
            self?.pending -= 1
            self?.hasAnswered = true
            done(reply)
        }
        let data = Unmanaged.passRetained(waiting).toOpaque()
        let status = RedisCommand.with(arguments) { command, length in
            redisAsyncFormattedCommand(
                context,
                { _, reply, data in
                    guard let data else { return }
                    Unmanaged<PendingReply>.fromOpaque(data).takeRetainedValue().done(RedisReply(reply))
                }, data, command, length)
        }
        if status != REDIS_OK {
            // Not taken over: the context is being freed.
            Unmanaged<PendingReply>.fromOpaque(data).takeRetainedValue().done(.linkLost)
        }
    }

    /// Writes now, not at the end of the turn.
    func flush() { events?.flush() }

    /// For a link that only listens: `received` and `subscribed` are called from now on.
    func subscribe(_ channel: String) { pubSub("SUBSCRIBE", channel) }

    func unsubscribe(_ channel: String) { pubSub("UNSUBSCRIBE", channel) }

    func subscribe(pattern: String) { pubSub("PSUBSCRIBE", pattern) }

    /// Breaks the link; a new one is made after the usual pause.
    func drop(_ reason: String) {
        guard context != nil else { return }
        end()
        retry(reason)
    }

    func close() {
        isClosed = true
        isUp = false
        timer?.cancel()
        watchdog?.cancel()
        end()
    }

    private func end() {
        if let context {
            self.context = nil
            Self.free(context)
        }
        events = nil
        carrier?.close()
        carrier = nil
    }

    private func begin(_ made: UnsafeMutablePointer<redisAsyncContext>?) {
        guard let made else { return retry("out of memory") }
        guard made.pointee.err == 0 else {
            let reason = Self.text(made)
            redisAsyncFree(made)
            return retry(reason)
        }
        do {
            try encrypt(made)
        } catch {
            redisAsyncFree(made)
            // Not from within the owner's call: it may not be ready for it.
            timer = loop.schedule(afterSeconds: 0) { [weak self] in self?.failed(.refused(error)) }
            return
        }
        context = made
        made.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        events = HiredisEvents.attach(made, to: loop)
        redisAsyncSetConnectCallback(made) { context, status in
            guard let context, let link = RedisLink.from(context) else { return }
            if status == REDIS_OK { link.signIn() } else { link.lost(context) }
        }
        redisAsyncSetDisconnectCallback(made) { context, _ in
            guard let context, let link = RedisLink.from(context) else { return }
            link.lost(context)
        }
        pending = 0
        hasAnswered = false
        watch()
        if isLocal {
            made.pointee.c.flags |= REDIS_CONNECTED
            signIn()
        }
    }

    /// hiredis' descriptor is a Unix socket: connected at once or not at all; hiredis 0.14 would wait for more and then
    /// take it for a failure.
    private var isLocal: Bool {
        if case .socket = address.place { true } else { carrier != nil }
    }

    /// Takes the socket that hiredis is connecting to the server, and gives it one end of a pair instead. What it
    /// writes to the pair waits there until the server has shown who it is.
    private func encrypt(_ made: UnsafeMutablePointer<redisAsyncContext>) throws(StoreFailure) {
        guard let tls = address.tls, case .host(let host, _) = address.place else { return }
        redisEnableKeepAlive(&made.pointee.c)
        let carrier = try TLSCarrier(tls, over: made.pointee.c.fd, host: host, address: address, loop: loop) {
            [weak self] in self?.failed($0)
        }
        made.pointee.c.fd = carrier.plainEnd
        self.carrier = carrier
    }

    private func failed(_ error: TLSError) {
        end()
        switch error {
        case .lost(let reason): retry(reason)
        case .refused(let failure) where failure.code == .refused: refuse(failure)
        case .refused(let failure): retry(failure.description)
        }
    }

    /// Greets the server. All sent at once: the answers come in order.
    private func signIn() {
        guard let context else { return }
        if !isLocal { redisEnableKeepAlive(&context.pointee.c) }
        var greetings: [[String]] = []
        if let password = address.password {
            greetings.append(address.user.map { ["AUTH", $0, password] } ?? ["AUTH", password])
        }
        if address.database != 0 { greetings.append(["SELECT", String(address.database)]) }
        // Answers -LOADING and -NOAUTH where the others do not.
        greetings.append(["PING"])
        for (index, greeting) in greetings.enumerated() {
            send(greeting.map { [UInt8]($0.utf8) }) { [weak self] reply in
                guard let self, self.context == context else { return }
                if let text = reply.errorText {
                    greeted(badly: RedisErrorKind(text, at: address))
                } else if case .linkLost = reply {
                    return
                } else if index == greetings.count - 1 {
                    upSince = loop.clocks.monotonic
                    isUp = true
                    wasUp = true
                    report(.up)
                }
            }
        }
    }

    private func greeted(badly error: RedisErrorKind) {
        switch error {
        case .transient(let text), .wrongServer(let text):
            drop(text)
        case .failed(let failure):
            refuse(failure)
        }
    }

    /// Who was let in before waits: a certificate that ran out, a password that was turned and rights that are not
    /// loaded yet are no reason to give up what waits.
    private func refuse(_ failure: StoreFailure) {
        if wasUp {
            end()
            return retry(failure.description)
        }
        report(.refused(failure))
        end()
        var refused = Self.refusedBackoff
        retry(failure.description, afterSeconds: refused.next())
    }

    /// hiredis frees the context after this.
    private func lost(_ dying: UnsafePointer<redisAsyncContext>) {
        guard let context, UnsafePointer(context) == dying else { return }
        let reason = carrier?.endReason ?? Self.text(context)
        self.context = nil
        end()
        retry(reason)
    }

    /// - Parameter given: nil: as the back-off says.
    private func retry(_ reason: String, afterSeconds given: Double? = nil) {
        isUp = false
        if let since = upSince, loop.clocks.monotonic.seconds(since: since) >= Self.goodSeconds {
            backoff.reset()
        }
        upSince = nil
        watchdog?.cancel()
        guard !isClosed else { return }
        let wait = given ?? backoff.next()
        timer?.cancel()
        timer = loop.schedule(afterSeconds: wait) { [weak self] in self?.connect() }
        report(.down(reason: "\(address): \(reason)", retryInSeconds: wait))
    }

    /// A server that takes commands and says nothing for so long is as good as gone.
    private func watch() {
        watchdog?.cancel()
        let isGreeting = carrier.map { !$0.isOpen } ?? false
        let seconds = isGreeting ? Self.handshakeSeconds : Self.silenceSeconds
        watchdog = loop.schedule(afterSeconds: seconds) { [weak self] in
            guard let self, context != nil else { return }
            if let carrier, !carrier.isOpen {
                return drop(
                    "the TLS handshake got no answer for \(Int(seconds)) s: does the server speak TLS on that port? "
                        + "Write its tls-port, or redis:// if it has none")
            }
            // Of what was sent after the handshake the answer may still come.
            if !isGreeting, !hasAnswered, pending > 0 || !isUp {
                return drop("no answer for \(Int(seconds)) s")
            }
            hasAnswered = pending == 0
            watch()
        }
    }
}

extension RedisLink {
    private func pubSub(_ command: String, _ channel: String) {
        guard let context else { return }
        // hiredis keeps this callback for the channel; it needs no data of its own. A refusal means that the context
        // is being freed: the link is made again, and its owner subscribes again.
        _ = RedisCommand.with([[UInt8](command.utf8), [UInt8](channel.utf8)]) { command, length in
            redisAsyncFormattedCommand(
                context,
                { context, reply, _ in
                    guard let context, let link = RedisLink.from(context) else { return }
                    link.receivedOnChannel(RedisReply(reply))
                }, nil, command, length)
        }
    }

    private func receivedOnChannel(_ reply: RedisReply) {
        guard case .array(let items) = reply, items.count >= 3, case .bytes(let kind) = items[0] else { return }
        let texts = items.prefix(3).map { String(decoding: $0.bytes ?? [], as: UTF8.self) }
        switch (String(decoding: kind, as: UTF8.self), items[items.count - 1]) {
        case ("subscribe", _), ("psubscribe", _): subscribed?(texts[1])
        case ("message", .bytes(let payload)): received?(texts[1], payload)
        case ("pmessage", .bytes(let payload)): received?(texts[2], payload)
        case ("message", .array(let keys)):
            invalidated?(keys.compactMap { $0.bytes.map { String(decoding: $0, as: UTF8.self) } })
        case ("message", .none): invalidated?(nil)
        default: break
        }
    }

    private static func from(_ context: UnsafePointer<redisAsyncContext>) -> RedisLink? {
        context.pointee.data.map { Unmanaged<RedisLink>.fromOpaque($0).takeUnretainedValue() }
    }

    /// From within a callback hiredis frees later, when this link may be gone: it must not be called any more.
    private static func free(_ context: UnsafeMutablePointer<redisAsyncContext>) {
        context.pointee.data = nil
        redisAsyncFree(context)
    }

    private static func text(_ context: UnsafeMutablePointer<redisAsyncContext>) -> String {
        if context.pointee.err != 0, let text = context.pointee.errstr { return String(cString: text) }
        // What keeps it from being made hiredis notes in the inner context alone.
        guard context.pointee.c.err != 0 else { return "the connection was closed" }
        return withUnsafeBytes(of: &context.pointee.c.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private final class PendingReply {
        let done: (RedisReply) -> Void
        init(_ done: @escaping (RedisReply) -> Void) { self.done = done }
    }
}
