// The thread behind RabbitMQLeadership: asks for the exclusive queue, holds it, stores the leader's memory.
import CRabbitMQ
import Glibc
import Ports
import TaskModel

/// The memory lies as the only message of a durable queue: a newer one pushes the older out.
struct LeaderThread: Sendable {
    enum Event: Sendable {
        case leading([UInt8]?)
        case following
        case lost(String)
        case stored(Int)
        case over
    }

    private let addresses: [RabbitMQAddress]
    private let options: RabbitMQOptions
    private let seat: LeaderSeat
    private let tell: @Sendable (Event) -> Void

    private static let seatQueue = "taskhost.beat.leader"
    private static let memoryQueue = "taskhost.beat.memory"
    private static let channel: UInt16 = 1
    private static let pauseSeconds = 1.5
    private static let answerSeconds = 5.0

    init(
        _ addresses: [RabbitMQAddress], _ options: RabbitMQOptions, _ seat: LeaderSeat,
        tell: @escaping @Sendable (Event) -> Void
    ) {
        // A leader that vanished without a word loses its queue after twice this time.
        self.addresses = addresses.map { address in
            var address = address
            address.heartbeatSeconds = 3
            return address
        }
        self.options = options
        self.seat = seat
        self.tell = tell
    }

    func run() {
        var attempts = 0
        while seat.isRunning {
            do throws(BrokerFailure) {
                try term(addresses[attempts % addresses.count])
            } catch {
                tell(.lost(error.description))
                attempts += 1
                pause()
            }
        }
        tell(.over)
    }

    private func pause() {
        let steps = Int(Self.pauseSeconds * 10)
        for _ in 0..<steps where seat.isRunning { usleep(100_000) }
    }

    /// From connecting to the loss of the connection, or the end.
    private func term(_ address: RabbitMQAddress) throws(BrokerFailure) {
        let connection = try AMQPConnection(to: address, duty: "beat", options: options)
        var isOpen = false
        while seat.isRunning {
            if !isOpen { try open(connection) }
            isOpen = true
            if try isTaken(connection) {
                tell(.following)
                pause()
            } else if try takesSeat(connection) {
                try lead(connection)
            } else {
                isOpen = false
            }
        }
        connection.close()
    }

    private func open(_ connection: AMQPConnection) throws(BrokerFailure) {
        try connection.openChannel(Self.channel)
        try connection.call(
            Self.channel, MethodID.confirmSelect, amqp_confirm_select_t(nowait: 0), answer: MethodID.confirmSelectOK,
            what: "asking for confirms")
    }

    /// Asked without a declaration, whose refusal would be an error in the broker's log each time: a message for the
    /// leader's queue comes back if there is none. It expires on arrival.
    private func isTaken(_ connection: AMQPConnection) throws(BrokerFailure) -> Bool {
        var properties = MessageProperties()
        properties.expiration = "0"
        properties.deliveryMode = 1
        try publish(WireMessage(properties: properties, headers: [:], body: []), to: Self.seatQueue, connection)
        var isReturned = false
        var patience = Self.pauseSeconds
        while seat.isRunning {
            guard let frame = try connection.nextFrame(withinSeconds: 0.1) else {
                // Under an alarm the answer comes when it is over.
                patience -= 0.1
                if patience <= 0 {
                    tell(.following)
                    patience = Self.pauseSeconds
                }
                continue
            }
            guard frame.frame_type == UInt8(AMQP_FRAME_METHOD) else { continue }
            switch frame.payload.method.id {
            case MethodID.basicReturn: isReturned = true
            case MethodID.basicAck:
                connection.release()
                return !isReturned
            default: try check(frame)
            }
        }
        return true
    }

    /// False: another was faster, and the channel is closed.
    private func takesSeat(_ connection: AMQPConnection) throws(BrokerFailure) -> Bool {
        do throws(BrokerFailure) {
            try declare(Self.seatQueue, exclusive: true, [:], connection)
            return true
        } catch {
            guard error.detail.contains("405 RESOURCE_LOCKED") else { throw error }
            return false
        }
    }

    private func declare(
        _ queue: String, exclusive: Bool, _ arguments: FieldTable, _ connection: AMQPConnection
    ) throws(BrokerFailure) {
        let arena = connection.arena
        try connection.call(
            Self.channel, MethodID.queueDeclare,
            amqp_queue_declare_t(
                ticket: 0, queue: arena.bytes(queue), passive: 0, durable: exclusive ? 0 : 1,
                exclusive: exclusive ? 1 : 0, auto_delete: exclusive ? 1 : 0, nowait: 0,
                arguments: arena.table(arguments)),
            answer: MethodID.queueDeclareOK, what: "declaring '\(queue)'")
        connection.release()
    }

    private func lead(_ connection: AMQPConnection) throws(BrokerFailure) {
        try declare(Self.memoryQueue, exclusive: false, ["x-max-length": .int(1)], connection)
        // Held until a newer one is stored, so that it goes back if we die before.
        var held = try memory(connection)
        seat.touch()
        // What was to be stored by a leader before is of no more use.
        _ = seat.takeOrder()
        tell(.leading(held?.memory))
        while seat.isRunning {
            // Also sends heartbeats, and notices missing ones.
            if let frame = try connection.nextFrame(withinSeconds: 0.1) { try check(frame) }
            connection.release()
            guard seat.isFresh else { throw BrokerFailure(.closed, "this process stood still for too long") }
            seat.touch()
            guard let order = seat.takeOrder() else { continue }
            try store(order.memory, connection)
            if let tag = held?.tag {
                let ack = amqp_basic_ack_t(delivery_tag: tag, multiple: 0)
                try connection.send(Self.channel, MethodID.basicAck, ack, what: "storing what beat has sent")
                held = nil
            }
            tell(.stored(order.number))
        }
    }

    private func memory(_ connection: AMQPConnection) throws(BrokerFailure) -> (tag: UInt64, memory: [UInt8])? {
        let queue = Self.memoryQueue
        let answer = try connection.call(
            Self.channel, MethodID.basicGet,
            amqp_basic_get_t(ticket: 0, queue: connection.arena.bytes(queue), no_ack: 0),
            answer: MethodID.basicGetOK, MethodID.basicGetEmpty, what: "reading '\(queue)'")
        guard answer.id == MethodID.basicGetOK, let decoded = answer.decoded else { return nil }
        var assembler = MessageAssembler()
        assembler.begin(.init(decoded.assumingMemoryBound(to: amqp_basic_get_ok_t.self).pointee))
        while let frame = try connection.nextFrame(withinSeconds: Self.answerSeconds) {
            if let (envelope, message) = assembler.take(frame) {
                connection.release()
                return (envelope.deliveryTag, message.body)
            }
        }
        throw BrokerFailure(.closed, "reading '\(queue)': the broker stopped in the middle of a message")
    }

    private func store(_ memory: [UInt8], _ connection: AMQPConnection) throws(BrokerFailure) {
        let what = "storing what beat has sent"
        var properties = MessageProperties()
        properties.contentType = "application/json"
        properties.deliveryMode = 2
        let message = WireMessage(properties: properties, headers: [:], body: memory)
        try publish(message, to: Self.memoryQueue, connection)
        while let frame = try connection.nextFrame(withinSeconds: Self.answerSeconds) {
            let isConfirm = frame.frame_type == UInt8(AMQP_FRAME_METHOD) && frame.payload.method.id == MethodID.basicAck
            if isConfirm { return }
            try check(frame)
        }
        throw BrokerFailure(.closed, "\(what): the broker did not confirm it")
    }

    private func publish(
        _ message: WireMessage, to queue: String, _ connection: AMQPConnection
    ) throws(BrokerFailure) {
        let status = connection.publish(message, key: queue, on: Self.channel)
        if status != 0 { throw .library(status, "publishing to '\(queue)'") }
    }

    /// A refusal, a return, or the end of channel or connection.
    private func check(_ frame: amqp_frame_t) throws(BrokerFailure) {
        guard frame.frame_type == UInt8(AMQP_FRAME_METHOD) else { return }
        let what = "leading"
        if let failure = BrokerFailure.closing(frame.payload.method, what) { throw failure }
        if [MethodID.basicNack, MethodID.basicReturn].contains(frame.payload.method.id) {
            throw BrokerFailure(.nacked, "queue '\(Self.memoryQueue)' did not take what beat has sent")
        }
    }
}
