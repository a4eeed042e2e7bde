// Remote control over Redis: fanout is publish and subscribe, replies are lists (celery-wire.md §7.5).
import Foundation
public import Ports
public import TaskModel

/// Nothing is kept for who does not listen. Replies to our own questions come to a queue that exists while we wait
/// for some.
public final class RedisControl: ControlChannel {
    private let address: RedisAddress
    private let loop: any EventLoop
    private let keys: RedisQueueKeys
    private let line: RedisLine
    private var ear: RedisLink?
    private var mailbox: RedisMailbox?
    private var received: (ControlMessage) -> Void = { _ in }
    private var isListening = false
    /// Broadcasts that wait until we hear ourselves.
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
            exchange: "reply.\(controlExchange).pidbox", routingKey: UUID().uuidString.lowercased())
        ownAddress = own
        // Both lines' troubles are those of broker and store at the same server, which tell of them.
        line.connect { _ in }
        mailbox = RedisMailbox(own, address: address, loop: loop, keys: keys, received: received)
        let pattern = keys.prefix + channel(controlExchange)
        let inbox = Inbox()
        let ear = RedisLink(address: address, loop: loop) { news in
            switch news {
            case .up: inbox.control?.ear?.subscribe(pattern: pattern)
            case .down: inbox.control?.isListening = false
            case .refused: break
            }
        }
        inbox.control = self
        ear.subscribed = { [weak self] _ in self?.listening() }
        ear.received = { [weak self] _, payload in self?.heard(payload) }
        self.ear = ear
        ear.connect()
    }

    public func reply(to address: ControlReplyAddress, _ message: WireMessage) {
        line.ask(["SMEMBERS".bytes, keys.bindings(address.exchange).bytes]) { [weak self] answer in
            // The client is gone, or Redis is: either way nobody waits for the reply.
            guard let self, case .success(let reply) = answer else { return }
            let key = address.routingKey
            for queue in RedisQueueKeys.queues(reply.texts, routingKey: key) {
                let envelope = RedisEnvelope(message, exchange: address.exchange, routingKey: key).bytes
                line.ask(["LPUSH".bytes, keys.list(queue, step: 0).bytes, envelope]) { _ in }
            }
        }
    }

    public func broadcast(_ message: WireMessage, controlExchange: String) {
        let exchange = "\(controlExchange).pidbox"
        let name = keys.prefix + channel(controlExchange)
        let send = { [weak self] in
            let envelope = RedisEnvelope(message, exchange: exchange, routingKey: "").bytes
            self?.line.ask(["PUBLISH".bytes, name.bytes, envelope]) { _ in }
        }
        mailbox?.expectReplies()
        if isListening || ear == nil { send() } else { waiting.append(send) }
    }

    public func close() {
        mailbox?.close()
        mailbox = nil
        ear?.close()
        ear = nil
        line.close()
        received = { _ in }
        waiting = []
    }

    public func leave(done: @escaping () -> Void) {
        guard let mailbox else {
            close()
            return done()
        }
        mailbox.leave(over: line) { [self] in
            close()
            done()
        }
    }

    private func channel(_ controlExchange: String) -> String { "/\(address.database).\(controlExchange).pidbox" }

    private func listening() {
        isListening = true
        let sends = waiting
        waiting = []
        for send in sends { send() }
    }

    /// What is no envelope is for somebody else.
    private func heard(_ payload: [UInt8]) {
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
