// librabbitmq's status codes and the broker's closing words as sentences with a fix.
import CRabbitMQ
import Ports

extension BrokerFailure {
    /// A status of the library's: the connection is of no more use.
    static func library(_ status: Int32, _ what: String) -> BrokerFailure {
        let words = String(cString: amqp_error_string2(status))
        return BrokerFailure(.closed, "\(what): \(words)")
    }

    /// What a channel.close or connection.close says.
    /// - Parameter login: it is about the connection, not about what a request names.
    static func server(code: UInt16, text: String, _ what: String, login: Bool = false) -> BrokerFailure {
        let detail = "\(what): the broker says \(code) \(text)"
        switch Int(code) {
        case 403:
            return BrokerFailure(
                login ? .loginRefused : .accessRefused, detail,
                fix: RightsText.fix(for: text)
                    ?? "Check user and password, and give the user its rights: rabbitmqctl set_permissions")
        case 404: return BrokerFailure(.notFound, detail)
        case 405:
            return BrokerFailure(
                .accessRefused, detail, fix: "Somebody else uses it exclusively; end that program first")
        case 406: return BrokerFailure(.precondition, detail, fix: PreconditionText.fix(for: text))
        case 530:
            return BrokerFailure(
                .loginRefused, detail,
                fix: "Create the virtual host (rabbitmqctl add_vhost) or correct the path of the broker address")
        case 320: return BrokerFailure(.closed, detail)
        case 540: return BrokerFailure(.unsupported, detail)
        default: return BrokerFailure(.protocolError, detail)
        }
    }

    static let unansweredFix = "Check that RabbitMQ runs there and that host and port are right"

    /// Nothing listened at the address, as while a broker is away or starts.
    var isUnanswered: Bool { code == .unreachable && fix == Self.unansweredFix }

    /// The outcome of one of the library's calls that wait for an answer.
    static func check(_ reply: amqp_rpc_reply_t, _ what: String) throws(BrokerFailure) {
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            if let failure = closing(reply.reply, what) { throw failure }
            throw BrokerFailure(.protocolError, "\(what): unexpected answer of the broker")
        case AMQP_RESPONSE_LIBRARY_EXCEPTION: throw library(reply.library_error, what)
        default: throw BrokerFailure(.closed, "\(what): the broker closed the connection")
        }
    }

    /// Non-nil for channel.close and connection.close.
    static func closing(_ method: amqp_method_t, _ what: String) -> BrokerFailure? {
        guard let decoded = method.decoded else { return nil }
        switch method.id {
        case MethodID.channelClose:
            let close = decoded.assumingMemoryBound(to: amqp_channel_close_t.self).pointee
            return server(code: close.reply_code, text: close.reply_text.text, what)
        case MethodID.connectionClose:
            let close = decoded.assumingMemoryBound(to: amqp_connection_close_t.self).pointee
            return server(code: close.reply_code, text: close.reply_text.text, what, login: true)
        default: return nil
        }
    }

    /// The user may not do it. Not so if somebody else only uses the same exclusively.
    var isRefusedByRights: Bool { code == .accessRefused && detail.contains("403 ACCESS_REFUSED") }

    /// The broker closed by an error (AMQP 501 to 541), rather than on somebody's order or for want of rights: by what
    /// it was sent, perhaps.
    var isBrokersError: Bool { code == .protocolError }

    /// Connecting or declaring the same again cannot help.
    var isHopeless: Bool {
        switch code {
        case .loginRefused, .accessRefused, .precondition: true
        default: false
        }
    }
}

/// "PRECONDITION_FAILED - inequivalent arg 'x-max-priority' for queue 'q' in vhost '/': received the value '10' of
/// type 'signedint' but current is none": names both sides and what to do.
enum PreconditionText {
    static let timeoutFix =
        "Raise consumer_timeout in rabbitmq.conf, or keep hard limits at least a minute below it"

    static func fix(for text: String) -> String? {
        if text.contains("delivery acknowledgement") {
            return "A task ran longer than the broker's consumer_timeout. \(timeoutFix)"
        }
        guard let argument = between(text, "inequivalent arg '", "'"), let queue = between(text, "queue '", "'") else {
            return nil
        }
        return "Give [queues.\(queue)] the same \(argument) as the queue has, or none at all; "
            + "or delete the queue once it is empty: rabbitmqctl delete_queue \(queue) --if-empty"
    }

    static func between(_ text: String, _ start: String, _ end: String) -> String? {
        guard let from = text.firstRange(of: start), let to = text[from.upperBound...].firstRange(of: end) else {
            return nil
        }
        return String(text[from.upperBound..<to.lowerBound])
    }
}

/// AMQP method numbers as librabbitmq types them (the header's macros are casts, which Swift does not import).
enum MethodID {
    static let connectionClose: UInt32 = 0x000A_0032
    static let connectionCloseOK: UInt32 = 0x000A_0033
    static let connectionBlocked: UInt32 = 0x000A_003C
    static let connectionUnblocked: UInt32 = 0x000A_003D
    static let channelOpen: UInt32 = 0x0014_000A
    static let channelOpenOK: UInt32 = 0x0014_000B
    static let channelClose: UInt32 = 0x0014_0028
    static let channelCloseOK: UInt32 = 0x0014_0029
    static let exchangeDeclare: UInt32 = 0x0028_000A
    static let exchangeDeclareOK: UInt32 = 0x0028_000B
    static let exchangeBind: UInt32 = 0x0028_001E
    static let exchangeBindOK: UInt32 = 0x0028_001F
    static let queueDeclare: UInt32 = 0x0032_000A
    static let queueDeclareOK: UInt32 = 0x0032_000B
    static let queueBind: UInt32 = 0x0032_0014
    static let queueBindOK: UInt32 = 0x0032_0015
    static let queuePurge: UInt32 = 0x0032_001E
    static let queuePurgeOK: UInt32 = 0x0032_001F
    static let basicQos: UInt32 = 0x003C_000A
    static let basicQosOK: UInt32 = 0x003C_000B
    static let basicConsume: UInt32 = 0x003C_0014
    static let basicConsumeOK: UInt32 = 0x003C_0015
    static let basicCancel: UInt32 = 0x003C_001E
    static let basicCancelOK: UInt32 = 0x003C_001F
    static let basicReturn: UInt32 = 0x003C_0032
    static let basicDeliver: UInt32 = 0x003C_003C
    static let basicGet: UInt32 = 0x003C_0046
    static let basicGetOK: UInt32 = 0x003C_0047
    static let basicGetEmpty: UInt32 = 0x003C_0048
    static let basicAck: UInt32 = 0x003C_0050
    static let basicReject: UInt32 = 0x003C_005A
    static let basicNack: UInt32 = 0x003C_0078
    static let confirmSelect: UInt32 = 0x0055_000A
    static let confirmSelectOK: UInt32 = 0x0055_000B
}
