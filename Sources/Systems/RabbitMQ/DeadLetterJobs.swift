// Looking at dead letters, sending them back, dropping them: over connections of their own.
import CRabbitMQ
public import Ports
import TaskModel

extension RabbitMQBroker {
    public func purge(queue: String, done: @escaping (Result<Int, BrokerFailure>) -> Void) {
        visit("purge", done) { connection, options throws(BrokerFailure) in
            var topology = Topology(connection, channel: 1, options: options)
            return try topology.purge(queue)
        }
    }

    public func deadLetters(
        of queue: String, limit: Int, done: @escaping (Result<[DeadLetter], BrokerFailure>) -> Void
    ) {
        let dead = QueueDeclaration(name: queue).deadQueueName
        visit("dead letters", done) { connection, options throws(BrokerFailure) in
            var walk = DeadLetterWalk(connection, queue: dead, of: queue, options: options)
            return try walk.list(limit: limit)
        }
    }

    public func settleDeadLetters(
        of queue: String, ids: Set<String>?, action: DeadLetterAction,
        done: @escaping (Result<Int, BrokerFailure>) -> Void
    ) {
        let dead = QueueDeclaration(name: queue).deadQueueName
        visit("dead letters", done) { connection, options throws(BrokerFailure) in
            var walk = DeadLetterWalk(connection, queue: dead, of: queue, options: options)
            return try walk.settle(ids, action)
        }
    }

    /// A connection of its own, to the first node that takes it.
    func visit<Value: Sendable>(
        _ duty: String, _ done: @escaping (Result<Value, BrokerFailure>) -> Void,
        _ work: @escaping @Sendable (AMQPConnection, RabbitMQOptions) throws(BrokerFailure) -> Value
    ) {
        let addresses = addresses
        let options = options
        inBackground { () throws(BrokerFailure) -> Value in
            var failure = BrokerFailure(.unreachable, "no address")
            for address in addresses {
                let connection: AMQPConnection
                do throws(BrokerFailure) {
                    connection = try AMQPConnection(to: address, duty: duty, options: options)
                } catch {
                    failure = error
                    continue
                }
                let value = try work(connection, options)
                connection.close()
                return value
            }
            throw failure
        } done: { _, result in
            done(result)
        }
    }
}

/// Takes the messages of a queue one after the other without acknowledging them. What is not settled goes back to its
/// place when the channel is closed.
struct DeadLetterWalk {
    private let connection: AMQPConnection
    private let queue: String
    private let origin: String
    private var topology: Topology
    private let options: RabbitMQOptions
    private let channel: UInt16 = 1
    private var published: UInt64 = 0

    private static let answerSeconds = 10.0

    init(_ connection: AMQPConnection, queue: String, of origin: String, options: RabbitMQOptions) {
        self.connection = connection
        self.queue = queue
        self.origin = origin
        self.options = options
        topology = Topology(connection, channel: 2, options: options)
    }

    /// The number there was at the beginning; a missing queue is an empty one.
    private mutating func open() throws(BrokerFailure) -> Int {
        guard let depth = try topology.depth(of: queue), depth > 0 else { return 0 }
        try connection.openChannel(channel)
        return depth
    }

    mutating func list(limit: Int) throws(BrokerFailure) -> [DeadLetter] {
        let depth = try open()
        guard depth > 0 else { return [] }
        var letters: [DeadLetter] = []
        while letters.count < min(depth, limit), let (envelope, message) = try get() {
            letters.append(letter(envelope, message))
        }
        try connection.closeChannel(channel)
        return letters
    }

    mutating func settle(_ ids: Set<String>?, _ action: DeadLetterAction) throws(BrokerFailure) -> Int {
        let depth = try open()
        guard depth > 0 else { return 0 }
        try connection.call(
            channel, MethodID.confirmSelect, amqp_confirm_select_t(nowait: 0), answer: MethodID.confirmSelectOK,
            what: "asking for confirms")
        var left = ids
        var count = 0
        // No more than there were: a letter sent back may die again meanwhile.
        for _ in 0..<depth {
            if let left, left.isEmpty { break }
            guard let (envelope, message) = try get() else { break }
            let letter = letter(envelope, message)
            if let wanted = left {
                guard wanted.contains(letter.id) else { continue }
                left?.remove(letter.id)
            }
            if action == .retry { try sendBack(letter) }
            let ack = amqp_basic_ack_t(delivery_tag: envelope.deliveryTag, multiple: 0)
            try connection.send(channel, MethodID.basicAck, ack, what: "settling a dead letter")
            count += 1
        }
        try connection.closeChannel(channel)
        return count
    }

    private func letter(_ envelope: MessageAssembler.Envelope, _ message: WireMessage) -> DeadLetter {
        let id = message.headers["id"]?.text ?? message.properties.correlationID ?? "message-\(envelope.deliveryTag)"
        return DeadLetter(id: id, queue: origin, message: message)
    }

    /// The next message, or nil: no more.
    private mutating func get() throws(BrokerFailure) -> (MessageAssembler.Envelope, WireMessage)? {
        let arguments = amqp_basic_get_t(ticket: 0, queue: connection.arena.bytes(queue), no_ack: 0)
        let answer = try connection.call(
            channel, MethodID.basicGet, arguments, answer: MethodID.basicGetOK, MethodID.basicGetEmpty,
            what: "reading '\(queue)'")
        guard answer.id == MethodID.basicGetOK, let decoded = answer.decoded else { return nil }
        var assembler = MessageAssembler()
        assembler.begin(.init(decoded.assumingMemoryBound(to: amqp_basic_get_ok_t.self).pointee))
        while let frame = try connection.nextFrame(withinSeconds: Self.answerSeconds) {
            if let whole = assembler.take(frame) {
                connection.release()
                return whole
            }
        }
        throw BrokerFailure(.closed, "reading '\(queue)': the broker stopped in the middle of a message")
    }

    /// To the queue it came from, confirmed, before the dead letter is settled.
    private mutating func sendBack(_ letter: DeadLetter) throws(BrokerFailure) {
        let target = letter.message.queueBeforeDeath ?? letter.queue
        let status = connection.publish(letter.message.revived, key: target, on: channel)
        if status != 0 { throw .library(status, "sending a dead letter back") }
        published += 1
        try awaitConfirm(target)
    }

    private func awaitConfirm(_ target: String) throws(BrokerFailure) {
        var isReturned = false
        while let frame = try connection.nextFrame(withinSeconds: Self.answerSeconds) {
            guard frame.frame_type == UInt8(AMQP_FRAME_METHOD) else { continue }
            switch frame.payload.method.id {
            case MethodID.basicReturn: isReturned = true
            case MethodID.basicAck:
                guard isReturned else { return }
                throw BrokerFailure(
                    .unroutable, "queue '\(target)', where the dead letter came from, is gone",
                    fix: "Start a worker for '\(target)' (it declares the queue), then try again")
            case MethodID.basicNack:
                throw BrokerFailure(.nacked, "queue '\(target)' did not take the dead letter back (is it full?)")
            default:
                if let failure = BrokerFailure.closing(frame.payload.method, "sending a dead letter back") {
                    throw failure
                }
            }
        }
        throw BrokerFailure(.closed, "the broker did not confirm a dead letter sent back; it stays where it is")
    }
}
