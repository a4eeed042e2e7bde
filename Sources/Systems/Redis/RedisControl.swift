// Remote control over Redis: fanout is publish and subscribe, replies are lists (celery-protocol.md §7.5).
import Glibc
public import Ports
public import TaskModel

/// Nothing is kept for who does not listen. Replies to our own questions come to a queue that exists while we wait
/// for some.
public final class RedisControl: ControlChannel {
    private let address: RedisAddress
    private let loop: any EventLoop
    private let keys: RedisQueueKeys
    private let line: RedisLine
    private var subscriber: RedisLink?
    private var mailbox: RedisMailbox?
    private var received: (ControlMessage) -> Void = { _ in }
    private var isSubscribed = false
    /// Broadcasts that wait until we are subscribed ourselves.
    private var waiting: [() -> Void] = []

    private static let maxWaiting = 10_000

    public private(set) var ownAddress: ControlReplyAddress?

    public init(address: RedisAddress, loop: any EventLoop) {
        self.address = address
        self.loop = loop
        keys = RedisQueueKeys(prefix: address.keyPrefix)
        line = RedisLine(address: address, loop: loop, maxWaiting: Self.maxWaiting)
    }

    public func open(nodeName: String, controlExchange: String, received: @escaping (ControlMessage) -> Void) {
        self.received = received
        let own = ControlReplyAddress(
            exchange: "reply.\(controlExchange).pidbox", routingKey: UUIDText.random())
        ownAddress = own
        line.connectUnreported(reportedBy: "broker and result store at the same server")
        mailbox = RedisMailbox(
            own, address: address, loop: loop, keys: keys, over: line, received: received)
        let pattern = keys.prefix + channel(controlExchange)
        let inbox = Inbox()
        let subscriber = RedisLink(address: address, loop: loop) { event in
            switch event {
            case .up: inbox.control?.subscriber?.subscribe(pattern: pattern)
            case .down: inbox.control?.isSubscribed = false
            case .refused: break
            }
        }
        inbox.control = self
        subscriber.subscribed = { [weak self] _ in self?.subscribed() }
        subscriber.received = { [weak self] _, payload in self?.passOn(payload) }
        self.subscriber = subscriber
        subscriber.connect()
    }

    public func reply(to address: ControlReplyAddress, _ message: WireMessage) {
        line.ask(["SMEMBERS".bytes, keys.bindings(address.exchange).bytes]) { [weak self] answer in
            // The client is gone, or Redis is: either way no client waits for the reply.
            guard let self, case .success(let reply) = answer else { return }
            let key = address.routingKey
            for queue in RedisQueueKeys.queues(reply.texts, routingKey: key) {
                let envelope = RedisEnvelope(message, exchange: address.exchange, routingKey: key).bytes
                line.sendBestEffort(
                    ["LPUSH".bytes, keys.list(queue, step: 0).bytes, envelope],
                    because: "a client without this reply names the workers that did not answer")
            }
        }
    }

    public func broadcast(_ message: WireMessage, controlExchange: String) {
        let exchange = "\(controlExchange).pidbox"
        let name = keys.prefix + channel(controlExchange)
        let send = { [weak self] in
            let envelope = RedisEnvelope(message, exchange: exchange, routingKey: "").bytes
            self?.line.sendBestEffort(
                ["PUBLISH".bytes, name.bytes, envelope], because: "who broadcasts sees that no worker answers")
        }
        mailbox?.expectReplies()
        if isSubscribed || subscriber == nil { send() } else { waiting.append(send) }
    }

    public func close() {
        mailbox?.close()
        mailbox = nil
        subscriber?.close()
        subscriber = nil
        line.close()
        received = { _ in }
        waiting = []
    }

    public func leave(done: @escaping () -> Void) {
        guard let mailbox else {
            close()
            return done()
        }
        mailbox.leave { [self] in
            close()
            done()
        }
    }

    private func channel(_ controlExchange: String) -> String { "/\(address.database).\(controlExchange).pidbox" }

    private func subscribed() {
        isSubscribed = true
        let sends = waiting
        waiting = []
        for send in sends { send() }
    }

    /// What is no envelope is for somebody else.
    private func passOn(_ payload: [UInt8]) {
        do throws(RedisEnvelope.Unreadable) {
            received(ControlMessage(message: try RedisEnvelope(parsing: payload).message))
        } catch {
            return
        }
    }

    private final class Inbox {
        weak var control: RedisControl?
    }
}
