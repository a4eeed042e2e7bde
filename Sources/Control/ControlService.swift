// Remote control at work: commands from the channel, replies to whoever asked.
import CeleryWire
public import Ports
import TaskModel
import TaskhostJSON

/// On the loop. Answers in the turn in which a command arrives.
public final class ControlService {
    private let channel: any ControlChannel
    private let loop: any EventLoop
    private let log: (Int, String) -> Void
    private let controlExchange: String
    private let formats: ControlFormats
    private let desk: ControlDesk
    private let started: Instant
    private var isOpen = false
    private var isHeard = false
    /// Ours to the other workers, until we hear it.
    private var greeting: [UInt8]?

    /// What is broadcast to all workers reaches us: called once, when our own greeting has come back.
    public var onHearing: () -> Void = {}

    /// - Parameters:
    ///   - controlExchange: Celery's `control_exchange`, "celery" by default; names the pidbox exchange.
    ///   - log: level 0 (debug) … 3 (error) and a sentence.
    public init(
        channel: any ControlChannel, engine: any EngineControl, facts: ControlFacts, loop: any EventLoop,
        events: EventService? = nil, policy: ControlPolicy = ControlPolicy(),
        formats: ControlFormats = ControlFormats(), controlExchange: String = "celery",
        log: @escaping (_ level: Int, _ line: String) -> Void
    ) {
        self.channel = channel
        self.loop = loop
        self.log = log
        self.controlExchange = controlExchange
        self.formats = formats
        let begin = loop.clocks.monotonic
        started = begin
        desk = ControlDesk(
            engine: engine, facts: facts, events: events, policy: policy,
            uptime: { Int(loop.clocks.monotonic.seconds(since: begin)) }, log: log)
    }

    /// Listens from now on, and asks the other workers which tasks are revoked.
    public func open() {
        guard !isOpen else { return }
        isOpen = true
        let node = desk.engine.nodeName
        channel.open(nodeName: node, controlExchange: controlExchange) { [weak self] in self?.received($0.message) }
        askAround(node)
    }

    public func close() {
        isOpen = false
        channel.close()
    }

    /// Celery's mingle: whoever answers tells its revoked ids and its clock.
    private func askAround(_ node: String) {
        guard let address = channel.ownAddress else { return }
        let known = desk.engine.revokedTaskIDs.map { JSON.string($0) }
        let body: JSON = [
            "method": "hello", "arguments": ["from_node": .string(node), "revoked": .array(known)],
            "destination": nil, "pattern": nil, "matcher": nil, "ticket": .string("hello-\(node)"),
            "reply_to": ["exchange": .string(address.exchange), "routing_key": .string(address.routingKey)],
        ]
        let headers: FieldTable = ["clock": .int(Int64(clamping: desk.mailbox.forward())), "expires": .int(0)]
        let plain = ControlBody.message(body, headers: headers, deliveryMode: 2)
        let (message, failure) = formats.written(plain, as: desk.policy.requiresSigned ? .auth : .json)
        if let failure { log(2, "The greeting to other workers is not signed: \(failure.detail)") }
        greeting = message.body
        channel.broadcast(message, controlExchange: controlExchange)
    }

    private func received(_ message: WireMessage) {
        guard isOpen else { return }
        if message.body == greeting { heardGreeting() }
        do throws(ControlDecodingError) {
            let content = try formats.read(message, now: loop.clocks.wall)
            // Commands name their ticket in the body, replies in a header.
            if message.headers["ticket"] != nil { return greeted(content) }
            let request = try ControlRequest(content, of: message)
            let reaction = desk.handle(request)
            switch reaction {
            case .ignored, .answered(nil): break
            case .dropped(let reason): log(2, "Remote command \(request.method) dropped: \(reason)")
            case .answered(let value?): reply(value, to: request)
            }
        } catch {
            log(2, "Control message dropped: \(error)")
        }
    }

    /// By its bytes: a signed one may be by a key whose certificate others have, and we don't.
    private func heardGreeting() {
        greeting = nil
        guard !isHeard else { return }
        isHeard = true
        onHearing()
    }

    private func reply(_ value: JSON, to request: ControlRequest) {
        guard let address = request.replyTo else { return }
        let body = JSON.object([JSONMember(key: desk.engine.nodeName, value: value)])
        let headers: FieldTable = [
            "ticket": request.ticket.map { .string($0) } ?? .null,
            "clock": .int(Int64(clamping: desk.mailbox.forward())),
        ]
        let plain = ControlBody.message(body, headers: headers, deliveryMode: 1)
        let (message, failure) = formats.written(plain, as: request.type)
        if let failure { log(1, "The reply to \(request.method) is plain JSON: \(failure.detail)") }
        channel.reply(to: address, message)
    }

    private func greeted(_ content: ControlContent) {
        guard desk.policy.allowsChange(signed: content.type == .auth) else { return }
        for (node, answer) in (content.body.members ?? []).map({ ($0.key, $0.value) }) {
            guard node != desk.engine.nodeName, let ids = answer["revoked"]?.elements else { continue }
            desk.engine.mergeRevoked(ids.compactMap(\.text))
            desk.events.adjust(to: UInt64(clamping: answer["clock"]?.integer ?? 0))
            log(0, "\(node) told \(ids.count) revoked ids")
        }
    }
}
