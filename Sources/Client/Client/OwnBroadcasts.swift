// Broadcasts over channels that confirm nothing: received back by ourselves, they have been sent. And their replies.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

/// On the loop's thread.
final class OwnBroadcasts {
    private let channel: any ControlChannel
    private let name: String
    private var exchange: String?
    private let formats: CommandFormats
    /// What we sent, byte for byte, until we hear it.
    private var awaited: [String: (body: [UInt8], done: () -> Void)] = [:]
    private var asked: [String: PendingQuestion] = [:]

    /// - Parameter name: unique.
    init(channel: any ControlChannel, name: String, formats: CommandFormats) {
        self.channel = channel
        self.name = name
        self.formats = formats
    }

    /// - Parameters:
    ///   - message: as it is to travel.
    ///   - ticket: in the message's body, unique.
    ///   - done: when every listener that is there has got it, or will.
    func send(_ message: WireMessage, ticket: String, controlExchange: String, done: @escaping () -> Void) {
        open(controlExchange)
        awaited[ticket] = (message.body, done)
        channel.broadcast(message, controlExchange: controlExchange)
    }

    func ask(
        _ question: ControlQuestion, within seconds: Double, on loop: any EventLoop, controlExchange: String,
        done: @escaping ([JSONMember]) -> Void
    ) throws(WireError) {
        open(controlExchange)
        let ticket = TaskCall.newID()
        let message = try formats.written(question.message(ticket: ticket, replyTo: channel.ownAddress))
        let pending = PendingQuestion(from: question.destination, loop: loop, done: done)
        asked[ticket] = pending
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
        channel.open(nodeName: name, controlExchange: controlExchange) { [weak self] in self?.received($0.message) }
    }

    private func received(_ message: WireMessage) {
        // Commands name their ticket in the body, replies in a header.
        if let ticket = message.headers["ticket"] {
            guard let ticket = ticket.text, let pending = asked[ticket] else { return }
            pending.add(formats.body(of: message, now: pending.loop.clocks.wall)?.members ?? [])
            if pending.isComplete { finish(ticket) }
            return
        }
        guard let ours = awaited.first(where: { $0.value.body == message.body }) else { return }
        awaited[ours.key] = nil
        ours.value.done()
    }

    private func finish(_ ticket: String) {
        guard let pending = asked.removeValue(forKey: ticket) else { return }
        pending.timer?.cancel()
        pending.done(pending.replies.sorted { $0.key < $1.key })
    }
}

/// A question on its way.
private final class PendingQuestion {
    /// nil: not known.
    var expected: Set<String>?
    let loop: any EventLoop
    let done: ([JSONMember]) -> Void
    /// In the order they came; two of one name are two workers.
    private(set) var replies: [JSONMember] = []
    var timer: (any LoopTimer)?

    init(from nodes: [String]?, loop: any EventLoop, done: @escaping ([JSONMember]) -> Void) {
        expected = nodes.flatMap { $0.isEmpty ? nil : Set($0) }
        self.loop = loop
        self.done = done
    }

    /// With names known, waiting longer brings nothing once all have answered.
    var isComplete: Bool { expected?.isSubset(of: replies.map(\.key)) ?? false }

    func add(_ members: [JSONMember]) { replies += members }
}
