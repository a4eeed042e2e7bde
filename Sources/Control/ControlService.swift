// Remote control at work: commands from the channel, replies to whoever asked.
public import Ports
import TaskModel
import TaskhostJSON

/// On the loop. Answers in the turn in which a command arrives.
public final class ControlService {
    private let channel: any ControlChannel
    private let loop: any EventLoop
    private let log: (Int, String) -> Void
    private let controlExchange: String
    private let desk: ControlDesk
    private let started: Instant
    private var isOpen = false
    private var isHeard = false

    /// What is broadcast to all workers reaches us: called once, when our own greeting has come back.
    public var onHearing: () -> Void = {}

    /// - Parameters:
    ///   - controlExchange: Celery's `control_exchange`, "celery" by default; names the pidbox exchange.
    ///   - log: level 0 (debug) … 3 (error) and a sentence.
    public init(
        channel: any ControlChannel, engine: any EngineControl, facts: ControlFacts, loop: any EventLoop,
        events: EventService? = nil, controlExchange: String = "celery",
        log: @escaping (_ level: Int, _ line: String) -> Void
    ) {
        self.channel = channel
        self.loop = loop
        self.log = log
        self.controlExchange = controlExchange
        let begin = loop.clocks.monotonic
        started = begin
        desk = ControlDesk(
            engine: engine, facts: facts, events: events, uptime: { Int(loop.clocks.monotonic.seconds(since: begin)) },
            log: log)
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
        channel.broadcast(
            ControlBody.message(body, headers: headers, deliveryMode: 2), controlExchange: controlExchange)
    }

    private func received(_ message: WireMessage) {
        guard isOpen else { return }
        // Commands name their ticket in the body, replies in a header.
        if message.headers["ticket"] != nil { return greeted(message) }
        do throws(ControlDecodingError) {
            let request = try ControlRequest(decoding: message)
            if request.method == "hello" { heardGreeting(request) }
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

    private func heardGreeting(_ request: ControlRequest) {
        let sender = request.arguments.first { $0.key == "from_node" }?.value.text
        guard !isHeard, sender == desk.engine.nodeName else { return }
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
        channel.reply(to: address, ControlBody.message(body, headers: headers, deliveryMode: 1))
    }

    private func greeted(_ message: WireMessage) {
        do throws(ControlDecodingError) {
            for (node, answer) in (try ControlBody.decode(message).members ?? []).map({ ($0.key, $0.value) }) {
                guard node != desk.engine.nodeName, let ids = answer["revoked"]?.elements else { continue }
                desk.engine.mergeRevoked(ids.compactMap(\.text))
                desk.events.adjust(to: UInt64(clamping: answer["clock"]?.integer ?? 0))
                log(0, "\(node) told \(ids.count) revoked ids")
            }
        } catch {
            log(2, "A worker's greeting dropped: \(error)")
        }
    }
}
