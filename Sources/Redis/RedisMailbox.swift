// Where replies to our own questions arrive: a list, bound to the reply exchange while we wait for some.
import Foundation
import Ports

/// Belongs to the loop's thread. Waits on a connection of its own, because a waiting one does nothing else.
final class RedisMailbox {
    private let queue: String
    private let own: ControlReplyAddress
    private let keys: RedisQueueKeys
    private let line: RedisLine
    private let received: (ControlMessage) -> Void
    private let loop: any EventLoop
    private var isConnected = false
    private var isWaiting = false
    private var until: ContinuousClock.Instant?

    /// How long replies are waited for after the last question, and by one command at most.
    private static let patience = Duration.seconds(30)
    private static let waitSeconds = 2

    init(
        _ own: ControlReplyAddress, address: RedisAddress, loop: any EventLoop, keys: RedisQueueKeys,
        received: @escaping (ControlMessage) -> Void
    ) {
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
            line.connect { _ in }
        }
        guard !isWaiting else { return }
        isWaiting = true
        line.ask(["SADD".bytes, keys.bindings(own.exchange).bytes, binding]) { _ in }
        take()
    }

    /// Its own line waits for replies and would do this later; `done` when no trace of us is left.
    func leave(over other: RedisLine, done: @escaping () -> Void) {
        guard isWaiting else { return done() }
        close()
        other.ask(["SREM".bytes, keys.bindings(own.exchange).bytes, binding]) { [self] _ in
            other.ask(["DEL".bytes, keys.list(queue, step: 0).bytes]) { _ in done() }
        }
    }

    func close() {
        until = nil
        line.close()
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
        line.ask(["SREM".bytes, keys.bindings(own.exchange).bytes, binding]) { _ in }
        line.ask(["DEL".bytes, keys.list(queue, step: 0).bytes]) { _ in }
    }
}
