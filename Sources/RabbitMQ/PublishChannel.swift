// The publishing connection while it is up: declares, publishes, hears confirms. On the publisher's thread.
import CRabbitMQ
import Glibc
import Ports
import TaskModel

/// Any failure it throws means: this connection is of no more use.
final class PublishChannel {
    typealias Item = Pending<Publication>

    let connection: AMQPConnection
    private let options: RabbitMQOptions
    private var topology: Topology
    private var declared: Set<String> = []
    private(set) var unconfirmed = Unconfirmed<Publication>()
    private var assembler = MessageAssembler()
    /// Grows from 1 with each confirm: under an alarm or after a refusal little is on the wire.
    private var window = 1
    /// So many more go one by one, because one of them made the broker close the channel.
    private var careful = 0
    private(set) var blockedReason: String?

    /// Decided publications; failure nil: confirmed.
    var settled: [(id: UInt64, failure: BrokerFailure?)] = []
    /// To be published again, before all others.
    var again: [Item] = []

    private static let channel: UInt16 = 1

    init(_ address: RabbitMQAddress, _ options: RabbitMQOptions) throws(BrokerFailure) {
        self.options = options
        connection = try AMQPConnection(to: address, duty: "publish", options: options)
        topology = Topology(connection, channel: 2, options: options)
        try open()
    }

    private func open() throws(BrokerFailure) {
        try connection.openChannel(Self.channel)
        try connection.call(
            Self.channel, MethodID.confirmSelect, amqp_confirm_select_t(nowait: 0), answer: MethodID.confirmSelectOK,
            what: "asking for confirms")
    }

    func hasRoom(for size: Int) -> Bool {
        guard blockedReason == nil else { return false }
        return unconfirmed.count == 0
            || unconfirmed.count < window && unconfirmed.bytes + size <= options.publishWindowBytes
    }

    // ---- out ----

    func publish(_ item: Item) throws(BrokerFailure) {
        let route: (exchange: String, key: String)
        do {
            route = try prepare(item.payload)
        } catch  where error.code != .closed {
            settled.append((item.id, error))
            return
        }
        let message = item.payload.message
        let refusal = PublicationCheck.failure(
            message, exchange: route.exchange, routingKey: route.key, frameMax: connection.frameMax)
        if let refusal {
            settled.append((item.id, refusal))
            return
        }
        let arena = connection.arena
        defer { arena.recycle() }
        var properties = arena.properties(message)
        let exchange = arena.bytes(route.exchange)
        let key = arena.bytes(route.key)
        // The body is only read, and not kept.
        let status = message.body.withUnsafeBytes { raw in
            amqp_basic_publish(
                connection.state, Self.channel, exchange, key, 1, 0, &properties,
                amqp_bytes_t(len: raw.count, bytes: UnsafeMutableRawPointer(mutating: raw.baseAddress)))
        }
        unconfirmed.append(item)
        if status != 0 { throw BrokerFailure.library(status, "publishing") }
    }

    /// Declares what the publication needs, once per connection.
    private func prepare(_ publication: Publication) throws(BrokerFailure) -> (exchange: String, key: String) {
        if let name = publication.queueName, name.utf8.count > 199 {
            throw BrokerFailure(
                .unsupported, "the queue name '\(name.prefix(40))…' is too long", fix: "Use at most 199 bytes")
        }
        let seconds = Int(min(publication.delaySeconds, Double(DelayLadder.longestSeconds)))
        switch publication.destination {
        case .queue(let queue):
            try once("queue \(queue.name)") { topology throws(BrokerFailure) in _ = try topology.ensure(queue) }
            guard seconds > 0 else { return ("", queue.name) }
            try once("ladder") { topology throws(BrokerFailure) in try topology.ensureDelayLadder() }
            try once("exit \(queue.name)") { topology throws(BrokerFailure) in
                try topology.ensureDelayExit(to: queue.name, key: queue.name)
            }
            return (DelayLadder.entry, DelayLadder.routingKey(seconds: seconds, to: queue.name))
        case .deadLetters(let queue):
            try once("dead \(queue)") { topology throws(BrokerFailure) in try topology.ensureDeadLetters(of: queue) }
            return (DeadLetters.exchange, queue)
        case .exchange(let name, let key):
            guard seconds <= 0 else {
                throw BrokerFailure(.unsupported, "only messages to queues can be delayed, not to exchange '\(name)'")
            }
            if let type = ControlQueue.typeOfExchange(name) {
                try once("pidbox \(name)") { topology throws(BrokerFailure) in
                    try topology.declareExchange(name, type: type, durable: false)
                }
            }
            if name == EventExchange.name {
                try once("events") { topology throws(BrokerFailure) in
                    try topology.declareExchange(name, type: "topic")
                }
            }
            return (name, key)
        }
    }

    private func once(_ key: String, _ declare: (inout Topology) throws(BrokerFailure) -> Void) throws(BrokerFailure) {
        guard !declared.contains(key) else { return }
        try declare(&topology)
        declared.insert(key)
    }

    // ---- in ----

    /// Takes what has come.
    func pump() throws(BrokerFailure) {
        var frames = 0
        while let frame = try connection.nextFrame() {
            try take(frame)
            frames += 1
            if frames % 128 == 0 { connection.release() }
        }
        connection.release()
    }

    private func take(_ frame: amqp_frame_t) throws(BrokerFailure) {
        guard frame.frame_type == UInt8(AMQP_FRAME_METHOD) else {
            if frame.channel == Self.channel, let (envelope, message) = assembler.take(frame) {
                returned(envelope, message)
            }
            return
        }
        let method = frame.payload.method
        switch (frame.channel, method.id) {
        case (0, MethodID.connectionClose):
            let failure = BrokerFailure.closing(method, "\(connection.address)")
            try connection.send(0, MethodID.connectionCloseOK, amqp_connection_close_ok_t(), what: "closing")
            throw failure ?? BrokerFailure(.closed, "\(connection.address): closed by the broker")
        case (0, MethodID.connectionBlocked):
            let reason = method.decoded?.assumingMemoryBound(to: amqp_connection_blocked_t.self).pointee.reason.text
            blockedReason = reason ?? "alarm"
        case (0, MethodID.connectionUnblocked): blockedReason = nil
        case (Self.channel, MethodID.channelClose): try channelClosed(method)
        case (Self.channel, _): if let decoded = method.decoded { confirmed(method.id, decoded) }
        default: break
        }
    }

    private func confirmed(_ method: UInt32, _ decoded: UnsafeMutableRawPointer) {
        switch method {
        case MethodID.basicAck:
            let ack = decoded.assumingMemoryBound(to: amqp_basic_ack_t.self).pointee
            unconfirmed.take(ack.delivery_tag, multiple: ack.multiple != 0) { acked($0) }
        case MethodID.basicNack:
            let nack = decoded.assumingMemoryBound(to: amqp_basic_nack_t.self).pointee
            unconfirmed.take(nack.delivery_tag, multiple: nack.multiple != 0) { item in
                let text = "the broker did not take the message (its queue is full, or a node failed)"
                settled.append((item.id, BrokerFailure(.nacked, text)))
            }
        case MethodID.basicReturn:
            assembler.begin(.init(decoded.assumingMemoryBound(to: amqp_basic_return_t.self).pointee))
        default: break
        }
    }

    private func acked(_ item: Item) {
        if careful > 0 { careful -= 1 } else { window = min(options.publishWindow, window * 2) }
        guard let text = item.returnText else {
            settled.append((item.id, nil))
            return
        }
        // Its queue was deleted after we had declared it: once more, from the beginning.
        if !item.isSecondTry, case .exchange = item.payload.destination {
        } else if !item.isSecondTry {
            declared.removeAll()
            var item = item
            item.isSecondTry = true
            item.returnText = nil
            again.append(item)
            return
        }
        settled.append((item.id, BrokerFailure(.unroutable, "no queue takes the message: \(text)")))
    }

    private func returned(_ envelope: MessageAssembler.Envelope, _ message: WireMessage) {
        unconfirmed.markReturned(envelope.replyText ?? "returned") { publication in
            publication.message.body.count == message.body.count
                && publication.message.properties.correlationID == message.properties.correlationID
                && Self.mayGo(publication, to: envelope)
        }
    }

    private static func mayGo(_ publication: Publication, to envelope: MessageAssembler.Envelope) -> Bool {
        switch publication.destination {
        case .exchange(let name, let key): name == envelope.exchange && key == envelope.routingKey
        case .queue(let queue): envelope.routingKey.hasSuffix(queue.name)
        case .deadLetters(let queue): envelope.exchange == DeadLetters.exchange && envelope.routingKey == queue
        }
    }

    /// The broker refused one message by closing the channel. Which one it does not say, save for its exchange.
    private func channelClosed(_ method: amqp_method_t) throws(BrokerFailure) {
        let failure = BrokerFailure.closing(method, "publishing") ?? BrokerFailure(.protocolError, "publishing")
        try connection.confirmClose(of: Self.channel)
        assembler = MessageAssembler()
        let missing = failure.code == .notFound ? PreconditionText.between(failure.detail, "exchange '", "'") : nil
        let items = unconfirmed.drain()
        for item in items {
            if case .exchange(let name, _) = item.payload.destination, name == missing {
                settled.append((item.id, failure))
            } else if items.count == 1 {
                settled.append((item.id, failure))
            } else {
                again.append(item)
            }
        }
        declared.removeAll()
        window = 1
        careful = again.count
        try open()
    }

    /// What must be published again over another connection.
    func abandon() -> [Item] {
        let items = unconfirmed.drain()
        return items.map { item in
            var item = item
            item.returnText = nil
            return item
        } + again
    }
}

extension Publication {
    fileprivate var queueName: String? {
        switch destination {
        case .queue(let queue): queue.name
        case .deadLetters(let queue): queue
        case .exchange: nil
        }
    }
}
