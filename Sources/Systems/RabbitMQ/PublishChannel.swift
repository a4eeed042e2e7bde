// The publishing connection while it is up: declares, publishes, receives confirms. On the publisher's thread.
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
    /// So many more go one by one, because one of them made the broker close the channel or the connection.
    private(set) var careful: Int
    private(set) var blockedReason: String?
    /// What a message may have, learned from a refusal: for a while no other of its kind closes the channel.
    private var sizeLimit: (bytes: Int, until: ContinuousClock.Instant)?

    /// Decided publications; failure nil: confirmed.
    var settled: [(id: UInt64, failure: BrokerFailure?)] = []
    /// To be published again, before all others.
    var again: [Item] = []

    private static let channel: UInt16 = 1
    /// For what needs no confirm: an exchange that is missing closes the channel, and must not take along what others
    /// publish.
    private static let unconfirmedChannel: UInt16 = 3

    /// - Parameter careful: how many to begin with are to go one by one.
    init(_ address: RabbitMQAddress, _ options: RabbitMQOptions, careful: Int = 0) throws(BrokerFailure) {
        self.options = options
        self.careful = careful
        connection = try AMQPConnection(to: address, duty: "publish", options: options)
        topology = Topology(connection, channel: 2, options: options)
        try open()
        try connection.openChannel(Self.unconfirmedChannel)
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
            settled.append((item.id, refusal(of: item.payload, error)))
            return
        }
        let message = item.payload.message
        let refusal = PublicationCheck.failure(
            message, exchange: route.exchange, routingKey: route.key, frameMax: connection.frameMax)
        if let refusal = refusal ?? tooLarge(message) {
            settled.append((item.id, refusal))
            return
        }
        let isConfirmed = !item.payload.isUnconfirmed
        let status = connection.publish(
            message, exchange: route.exchange, key: route.key, isMandatory: isConfirmed,
            on: isConfirmed ? Self.channel : Self.unconfirmedChannel)
        if isConfirmed { unconfirmed.append(item) } else { settled.append((item.id, nil)) }
        if status != 0 { throw BrokerFailure.library(status, "publishing") }
    }

    /// What is declared for a queue and is missing all the same was deleted meanwhile: it is declared again.
    private func refusal(of publication: Publication, _ failure: BrokerFailure) -> BrokerFailure {
        // An exchange that a message names was never ours to declare.
        guard failure.code == .notFound, publication.queueName != nil else { return failure }
        declared.removeAll()
        return BrokerFailure(.nacked, failure.detail, fix: failure.fix)
    }

    private func tooLarge(_ message: WireMessage) -> BrokerFailure? {
        guard let sizeLimit, message.body.count > sizeLimit.bytes, .now < sizeLimit.until else { return nil }
        return BrokerFailure(
            .precondition,
            "publishing: message size \(message.body.count) is larger than the broker's configured max size "
                + "\(sizeLimit.bytes)")
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
            try once("queue \(queue.name)") { topology throws(BrokerFailure) in try topology.ensureExists(queue) }
            guard seconds > 0 else { return ("", queue.name) }
            try once("ladder") { topology throws(BrokerFailure) in try topology.ensureDelayLadder() }
            try once("exit \(queue.name)") { topology throws(BrokerFailure) in
                try topology.ensureDelayExit(to: queue.name, key: queue.name)
            }
            return (DelayLadder.entry(seconds: seconds), DelayLadder.routingKey(seconds: seconds, to: queue.name))
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
            if !name.isEmpty, !publication.isUnconfirmed {
                // Published to an exchange that is missing, it would close the channel, and what others have on the
                // wire there would be sent twice.
                try once("exchange \(name)") { topology throws(BrokerFailure) in
                    try topology.requireExchange(name, what: "publishing")
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
        case (Self.unconfirmedChannel, MethodID.channelClose): try unconfirmedClosed()
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
        // An exchange without a queue stays so; a queue that was deleted twice in this moment can be declared again.
        let isRouted = if case .exchange = item.payload.destination { true } else { false }
        settled.append(
            (item.id, BrokerFailure(isRouted ? .unroutable : .nacked, "no queue takes the message: \(text)")))
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
        if let most = PreconditionText.between(failure.detail + " ", "larger than configured max size ", " ") {
            sizeLimit = Int(most).map { ($0, .now + .seconds(60)) }
        }
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

    /// What it was is unknown, and no caller waits for it. Exchanges that we declared may be gone.
    private func unconfirmedClosed() throws(BrokerFailure) {
        try connection.confirmClose(of: Self.unconfirmedChannel)
        declared = declared.filter { !$0.hasPrefix("pidbox ") }
        try connection.openChannel(Self.unconfirmedChannel)
    }

    /// What must be published again over another connection. A connection that the broker closes by an error may have
    /// been closed over what was on the wire: then that goes one by one, and what is found out is given up, so that one
    /// message never keeps the others waiting.
    func abandon(after failure: BrokerFailure) -> [Item] {
        let left = unconfirmed.abandon(byBrokersError: failure.isBrokersError)
        if failure.isBrokersError { careful = max(careful, left.again.count) }
        if let found = left.givenUp {
            let text = "the broker closes the connection over this message (\(failure.detail))"
            settled.append((found.id, BrokerFailure(.unsupported, text)))
        }
        return left.again + again
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
