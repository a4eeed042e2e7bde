// Broadcasts over channels that confirm nothing: heard back by ourselves, they have been sent. And their replies.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

/// On the loop's thread.
final class OwnBroadcasts {
    private let channel: any ControlChannel
    private let name: String
    private var exchange: String?
    private var awaited: [String: () -> Void] = [:]
    private var asked: [String: PendingQuestion] = [:]

    /// - Parameter name: of nobody else.
    init(channel: any ControlChannel, name: String) {
        self.channel = channel
        self.name = name
    }

    /// - Parameters:
    ///   - ticket: in the message's body, unique.
    ///   - done: when every listener that is there has got it, or will.
    func send(_ message: WireMessage, ticket: String, controlExchange: String, done: @escaping () -> Void) {
        open(controlExchange)
        awaited[ticket] = done
        channel.broadcast(message, controlExchange: controlExchange)
    }

    func ask(
        _ question: ControlQuestion, within seconds: Double, on loop: any EventLoop, controlExchange: String,
        done: @escaping ([JSONMember]) -> Void
    ) {
        open(controlExchange)
        let ticket = TaskCall.newID()
        let pending = PendingQuestion(from: question.destination, done: done)
        asked[ticket] = pending
        let message = question.message(ticket: ticket, replyTo: channel.ownAddress)
        // The time for replies begins when the question is out: until then our own ear is being set up.
        send(message, ticket: ticket, controlExchange: controlExchange) { [weak self] in
            if let nodes = self?.channel.repliers(to: question.destination) { pending.expected = Set(nodes) }
            if pending.isComplete { self?.finish(ticket) }
            pending.timer = loop.schedule(afterSeconds: seconds) { self?.finish(ticket) }
        }
    }

    func close(done: @escaping () -> Void) {
        awaited = [:]
        for pending in asked.values { pending.timer?.cancel() }
        asked = [:]
        if exchange != nil { channel.leave(done: done) } else { done() }
    }

    private func open(_ controlExchange: String) {
        guard exchange == nil else { return }
        exchange = controlExchange
        channel.open(nodeName: name, controlExchange: controlExchange) { [weak self] in self?.heard($0.message) }
    }

    private func heard(_ message: WireMessage) {
        // Commands name their ticket in the body, replies in a header.
        if let ticket = message.headers["ticket"] {
            guard let ticket = ticket.text, let pending = asked[ticket] else { return }
            pending.add(body(of: message)?.members ?? [])
            if pending.isComplete { finish(ticket) }
            return
        }
        guard !awaited.isEmpty, let ticket = body(of: message)?["ticket"]?.text else { return }
        awaited.removeValue(forKey: ticket)?()
    }

    private func finish(_ ticket: String) {
        guard let pending = asked.removeValue(forKey: ticket) else { return }
        pending.timer?.cancel()
        pending.done(pending.replies.sorted { $0.key < $1.key }.map { JSONMember(key: $0.key, value: $0.value) })
    }

    /// What is no JSON is not for us.
    private func body(of message: WireMessage) -> JSON? {
        do {
            return try JSON(parsing: message.body, limits: .trusted)
        } catch {
            return nil
        }
    }
}

/// A question on its way.
private final class PendingQuestion {
    /// nil: not known.
    var expected: Set<String>?
    let done: ([JSONMember]) -> Void
    private(set) var replies: [String: JSON] = [:]
    var timer: (any LoopTimer)?

    init(from nodes: [String]?, done: @escaping ([JSONMember]) -> Void) {
        expected = nodes.flatMap { $0.isEmpty ? nil : Set($0) }
        self.done = done
    }

    /// With names known, waiting longer brings nothing once all have answered.
    var isComplete: Bool { expected?.isSubset(of: replies.keys) ?? false }

    func add(_ members: [JSONMember]) {
        for member in members { replies[member.key] = member.value }
    }
}
