// Remote control at work: commands from the channel, replies to the client that asked.
import CeleryWire
public import Ports
public import TaskModel
import TaskhostJSON

/// On the loop. Answers in the turn in which a command arrives; long ones are read, and long replies made, beside it.
public final class ControlService {
    private let channel: any ControlChannel
    private let loop: any EventLoop
    private let log: (LogLevel, String) -> Void
    private let controlExchange: String
    private let formats: ControlFormats
    private let handler: CommandHandler
    private var isOpen = false
    private var isHeard = false
    private let replies: ControlReplies?
    /// Addresses that replies were not sent to.
    private var refused = ReportedNames()
    /// Ours to the other workers, until we hear it.
    private var greeting: [UInt8]?
    /// Came while a long one is read: all are obeyed in the order in which they came.
    private var waiting: [WireMessage] = []
    private var waitingBytes = 0
    private var isReading = false

    /// Bytes of a message that is read beside the loop.
    private static let long = 65_536
    /// Bytes that may wait: what a client sends beyond them, faster than it is read, is lost.
    private static let maxWaiting = 64 << 20

    /// What is broadcast to all workers reaches us: called once, when our own greeting has come back.
    public var onSubscribed: () -> Void = {}

    /// - Parameters:
    ///   - controlExchange: Celery's `control_exchange`, "celery" by default; names the pidbox exchange.
    ///   - replies: who may be replied to; nil: all clients.
    ///   - log: a level and a sentence.
    public init(
        channel: any ControlChannel, engine: any EngineControl, facts: ControlFacts, loop: any EventLoop,
        events: EventService? = nil, policy: ControlPolicy = ControlPolicy(),
        formats: ControlFormats = ControlFormats(), controlExchange: String = "celery",
        replies: ControlReplies? = nil,
        log: @escaping (_ level: LogLevel, _ line: String) -> Void
    ) {
        self.channel = channel
        self.loop = loop
        self.log = log
        self.controlExchange = controlExchange
        self.formats = formats
        self.replies = replies
        handler = CommandHandler(engine: engine, facts: facts, events: events, policy: policy, loop: loop, log: log)
    }

    /// Listens from now on, and asks the other workers which tasks are revoked.
    public func open() {
        guard !isOpen else { return }
        isOpen = true
        let node = handler.engine.nodeName
        channel.open(nodeName: node, controlExchange: controlExchange) { [weak self] in self?.received($0.message) }
        askAround(node)
    }

    public func close() {
        isOpen = false
        channel.close()
    }

    /// Celery's mingle: each worker that replies sends its revoked ids and its clock.
    private func askAround(_ node: String) {
        guard let address = channel.ownAddress else { return }
        let known = handler.engine.revokedTaskIDs.map { JSON.string($0) }
        var members: [JSONMember] = [
            JSONMember(key: "method", value: "hello"),
            JSONMember(key: "arguments", value: ["from_node": .string(node), "revoked": .array(known)]),
            JSONMember(key: "destination", value: nil), JSONMember(key: "pattern", value: nil),
            JSONMember(key: "matcher", value: nil), JSONMember(key: "ticket", value: .string("hello-\(node)")),
            JSONMember(
                key: "reply_to",
                value: ["exchange": .string(address.exchange), "routing_key": .string(address.routingKey)]),
        ]
        if handler.policy.requiresSigned { members.append(FreshMark.member(at: loop.clocks.wall.secondsSince1970)) }
        let body = JSON.object(members)
        let headers: FieldTable = ["clock": .int(Int64(clamping: handler.mailbox.forward())), "expires": .int(0)]
        let plain = ControlBody.message(body, headers: headers, deliveryMode: 2)
        let (message, failure) = formats.written(plain, as: handler.policy.requiresSigned ? .auth : .json)
        if let failure { log(.warning, "The greeting to other workers is not signed: \(failure.detail)") }
        greeting = message.body
        channel.broadcast(message, controlExchange: controlExchange)
    }

    private func received(_ message: WireMessage) {
        guard isOpen else { return }
        if message.body == greeting { heardGreeting() }
        guard isReading || message.body.count > Self.long else {
            return obey(message, formats.content(of: message, now: loop.clocks.wall))
        }
        guard waitingBytes + message.body.count <= Self.maxWaiting else {
            return log(.warning, "Control message dropped: \(waitingBytes) bytes of others wait to be read")
        }
        waiting.append(message)
        waitingBytes += message.body.count
        readNext()
    }

    private func readNext() {
        guard !isReading, let message = waiting.first else { return }
        isReading = true
        waiting.removeFirst()
        loop.beside { [formats, now = loop.clocks.wall] in
            formats.content(of: message, now: now)
        } done: { [weak self] content in
            guard let self else { return }
            isReading = false
            waitingBytes -= message.body.count
            if isOpen { obey(message, content) }
            readNext()
        }
    }

    private func obey(_ message: WireMessage, _ content: Result<ControlContent, ControlDecodingError>) {
        do throws(ControlDecodingError) {
            let content = try content.get()
            // Commands name their ticket in the body, replies in a header.
            if message.headers["ticket"] != nil { return greeted(content) }
            let request = try ControlRequest(content, of: message)
            let reaction = loop.measured("the command \(request.method)") {
                handler.handle(request, now: loop.clocks.wall.secondsSince1970)
            }
            switch reaction {
            case .ignored, .handled(.answered(nil)): break
            case .dropped(let reason): log(.warning, "Remote command \(request.method) dropped: \(reason)")
            case .handled(.answered(let answer?)): replyOnceKept(answer, to: request)
            case .handled(.pending(let ask)): ask { [weak self] in self?.replyOnceKept($0, to: request) }
            }
        } catch {
            log(.warning, "Control message dropped: \(error)")
        }
    }

    /// By its bytes: a signed one may be by a key whose certificate others have, and we don't.
    private func heardGreeting() {
        greeting = nil
        guard !isHeard else { return }
        isHeard = true
        onSubscribed()
    }

    /// What was changed is on the disk before it is answered.
    private func replyOnceKept(_ answer: ControlAnswer, to request: ControlRequest) {
        handler.engine.whenMemoryIsKept { [weak self] in self?.reply(answer, to: request) }
    }

    private func reply(_ answer: ControlAnswer, to request: ControlRequest) {
        guard isOpen, let address = request.replyTo else { return }
        if let replies, !replies.allow(address) { return refuse(address, of: request) }
        let headers: FieldTable = [
            "ticket": request.ticket.map { .string($0) } ?? .null,
            "clock": .int(Int64(clamping: handler.mailbox.forward())),
        ]
        let write = { @Sendable [formats, type = request.type, node = handler.engine.nodeName] in
            let body = JSON.object([JSONMember(key: node, value: answer.make())])
            return formats.written(ControlBody.message(body, headers: headers, deliveryMode: 1), as: type)
        }
        let send = { [weak self] (written: (message: WireMessage, failure: WireError?)) in
            guard let self, isOpen else { return }
            if let failure = written.failure {
                log(.info, "The reply to \(request.method) is plain JSON: \(failure.detail)")
            }
            channel.reply(to: address, written.message)
        }
        if answer.isLong { loop.beside(write, done: send) } else { send(write()) }
    }

    private func refuse(_ address: ControlReplyAddress, of request: ControlRequest) {
        guard refused.isNew("\(address.exchange)/\(address.routingKey)") else { return }
        log(
            .warning,
            "No reply to \(request.method): it was to go to '\(address.routingKey)' through the exchange "
                + "'\(address.exchange)', which no client of Celery uses. fix: [security] reply_to, if it is yours")
    }

    private func greeted(_ content: ControlContent) {
        guard handler.policy.allowsChange(content.type == .auth ? .fresh : .none) else { return }
        for (node, answer) in (content.body.members ?? []).map({ ($0.key, $0.value) }) {
            guard node != handler.engine.nodeName, let revoked = answer["revoked"], !revoked.isNull else { continue }
            let ids = RevokedIDs.read(revoked)
            handler.merge(ids)
            handler.events.adjust(to: UInt64(clamping: answer["clock"]?.integer ?? 0))
            log(.debug, "\(node) sent \(ids.count) revoked ids")
        }
    }
}
