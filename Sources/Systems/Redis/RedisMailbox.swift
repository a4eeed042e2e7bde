// Where replies to our own questions arrive: a list, bound to the reply exchange while we wait for some.
import Glibc
import Ports

/// Belongs to the loop's thread. Waits on a connection of its own, because a waiting one does nothing else.
final class RedisMailbox {
    private let queue: String
    private let own: ControlReplyAddress
    private let keys: RedisQueueKeys
    /// Waits for replies, and does nothing else.
    private let line: RedisLine
    /// Carries the questions, so what is sent over it first is done before they are answered.
    private let asking: RedisLine
    private let received: (ControlMessage) -> Void
    private let loop: any EventLoop
    private var isConnected = false
    private var isWaiting = false
    private var until: ContinuousClock.Instant?

    /// How long replies are waited for after the last question, and by one command at most.
    private static let patience = Duration.seconds(30)
    private static let waitSeconds = 2
    /// Of a binding without a permanent queue; kombu takes no less.
    private static let bindingMilliseconds = 3_600_000

    /// Keys: bindings, deadlines. Arguments: binding, exchange, milliseconds it is to be kept.
    private static let bindScript = """
        redis.call('SADD', KEYS[1], ARGV[1])
        local time = redis.call('TIME')
        local until_ = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3]
        return redis.call('ZADD', KEYS[2], 'GT', string.format('%.0f', until_), ARGV[2])
        """

    init(
        _ own: ControlReplyAddress, address: RedisAddress, loop: any EventLoop, keys: RedisQueueKeys,
        over asking: RedisLine,
        received: @escaping (ControlMessage) -> Void
    ) {
        self.asking = asking
        self.own = own
        self.keys = keys
        self.loop = loop
        self.received = received
        queue = "\(own.routingKey).\(own.exchange)"
        line = RedisLine(address: address, loop: loop, maxWaiting: 100)
    }

    /// Called before each question.
    func expectReplies() {
        until = ContinuousClock.now + Self.patience
        if !isConnected {
            isConnected = true
            line.connectUnreported(reportedBy: "the line that carries the questions")
        }
        bind()
        guard !isWaiting else { return }
        isWaiting = true
        take()
    }

    /// With each question: kombu's own workers sweep away the bindings of an exchange whose deadline is over.
    private func bind() {
        let words = ["EVAL", Self.bindScript, "2", keys.bindings(own.exchange), keys.bindingDeadlines].map(\.bytes)
        asking.sendBestEffort(
            words + [binding, own.exchange.bytes, "\(Self.bindingMilliseconds)".bytes],
            because: "who asks sees that no worker answers")
    }

    /// Its own line waits for replies and would do this later; `done` when no trace of us is left.
    func leave(done: @escaping () -> Void) {
        guard isWaiting else { return done() }
        until = nil
        line.close()
        let words = unbindWords
        asking.sendBestEffort(words[0], because: Self.kept) { [asking] in
            asking.sendBestEffort(words[1], because: Self.kept, done: done)
        }
    }

    /// At once: what is to be taken back is on its way, nothing waits for it.
    func close() {
        until = nil
        line.close()
        guard isWaiting else { return }
        isWaiting = false
        for words in unbindWords { asking.sendOnceBestEffort(words, because: Self.kept) }
        asking.flush()
    }

    private static let kept: StaticString = "a binding that stays is swept away when its deadline is over"

    private var unbindWords: [[[UInt8]]] {
        [
            ["SREM".bytes, keys.bindings(own.exchange).bytes, binding],
            ["DEL".bytes, keys.list(queue, step: 0).bytes],
        ]
    }

    private var binding: [UInt8] { RedisQueueKeys.binding(routingKey: own.routingKey, queue: queue).bytes }

    /// A reply that is lost with the link is a reply that came too late.
    private func take() {
        line.ask(["BRPOP".bytes, keys.list(queue, step: 0).bytes, "\(Self.waitSeconds)".bytes]) { [weak self] answer in
            guard let self, case .success(let reply) = answer else { return }
            if let envelope = reply.items?.last?.bytes { pass(envelope) }
            guard let until, ContinuousClock.now < until else { return leave() }
            take()
        }
    }

    private func pass(_ envelope: [UInt8]) {
        do throws(RedisEnvelope.Unreadable) {
            received(ControlMessage(message: try RedisEnvelope(parsing: envelope).message))
        } catch {
            return
        }
    }

    private func leave() {
        isWaiting = false
        for words in unbindWords { line.sendBestEffort(words, because: Self.kept) }
    }
}
