// Puts together what AMQP sends in pieces: method, header, body frames of one channel.
import CRabbitMQ
import TaskModel

struct MessageAssembler {
    /// What announced the message.
    struct Envelope {
        var deliveryTag: UInt64 = 0
        var redelivered = false
        var exchange = ""
        var routingKey = ""
        /// Of a basic.return.
        var replyText: String?
    }

    private var envelope: Envelope?
    private var message: WireMessage?
    private var missing = 0
    /// Bytes of a body that there was no room for; its frames are dropped.
    private(set) var unreadBytes: Int?

    mutating func begin(_ envelope: Envelope) {
        self.envelope = envelope
        message = nil
        unreadBytes = nil
    }

    /// Takes a header or body frame; the message when it is complete. Frames out of order are dropped.
    /// - Parameter mayTake: whether there is room for a body of the size announced; if not, the message comes without
    ///   it, and `unreadBytes` says so.
    mutating func take(_ frame: amqp_frame_t, mayTake: (Int) -> Bool = { _ in true }) -> (Envelope, WireMessage)? {
        guard let envelope else { return nil }
        if frame.frame_type == UInt8(AMQP_FRAME_HEADER) {
            guard let decoded = frame.payload.properties.decoded else { return nil }
            let properties = decoded.assumingMemoryBound(to: amqp_basic_properties_t.self).pointee
            missing = Int(clamping: frame.payload.properties.body_size)
            var body: [UInt8] = []
            if mayTake(missing) {
                // Reserved in one piece as far as it is believable; what really comes grows it.
                body.reserveCapacity(min(missing, 64 << 20))
            } else {
                unreadBytes = missing
            }
            message = PropertyReader.message(properties, body: body)
        } else {
            let fragment = frame.payload.body_fragment
            if unreadBytes == nil { message?.body.append(contentsOf: fragment.raw) }
            missing -= fragment.len
        }
        guard missing <= 0, let whole = message else { return nil }
        self.envelope = nil
        message = nil
        return (envelope, whole)
    }
}

extension MessageAssembler.Envelope {
    init(_ method: amqp_basic_deliver_t) {
        deliveryTag = method.delivery_tag
        redelivered = method.redelivered != 0
        exchange = method.exchange.text
        routingKey = method.routing_key.text
    }

    init(_ method: amqp_basic_get_ok_t) {
        deliveryTag = method.delivery_tag
        redelivered = method.redelivered != 0
        exchange = method.exchange.text
        routingKey = method.routing_key.text
    }

    init(_ method: amqp_basic_return_t) {
        exchange = method.exchange.text
        routingKey = method.routing_key.text
        replyText = method.reply_text.text
    }
}
