// One AMQP connection: opening it, calls that wait for their answer, frames as they come.
import CRabbitMQ
import Glibc
import Ports
import TaskModel

/// Used by one thread at a time; opened on a short-lived thread and then handed over, hence `@unchecked Sendable`.
///
/// Two ways of use, which must not be mixed on one channel: `call` sends a method and waits for its answer (threads of
/// their own only), `send` and `nextFrame` never wait for the broker (the loop).
final class AMQPConnection: @unchecked Sendable {
    let state: amqp_connection_state_t
    let arena = Arena()
    let address: RabbitMQAddress
    let frameMax: Int
    let channelMax: UInt16
    let version: RabbitMQVersion
    /// For how long an answer of the broker is waited for.
    let replyTimeoutSeconds: Double
    var brokerMajor: Int { version.major }

    /// How often `nextFrame` must be called at least, in seconds, for heartbeats to be in time.
    let tickSeconds: Double

    var descriptor: Int32 { amqp_get_sockfd(state) }

    /// Connects, negotiates TLS and logs in. Blocks for at most the connect timeout (and the name lookup).
    init(to address: RabbitMQAddress, duty: String, options: RabbitMQOptions) throws(BrokerFailure) {
        self.address = address
        replyTimeoutSeconds = options.replyTimeoutSeconds
        guard let state = amqp_new_connection() else { throw BrokerFailure(.closed, "no memory for a connection") }
        self.state = state
        do {
            try Self.open(state, address, options)
            try Self.login(state, address, duty, arena, options)
        } catch {
            amqp_destroy_connection(state)
            throw error
        }
        let heartbeat = Double(amqp_get_heartbeat(state))
        tickSeconds = heartbeat > 0 ? max(0.1, min(2, heartbeat / 4)) : 2
        frameMax = Int(amqp_get_frame_max(state))
        channelMax = UInt16(clamping: amqp_get_channel_max(state))
        version = Self.version(state)
        arena.recycle()
        amqp_maybe_release_buffers(state)
    }

    deinit { amqp_destroy_connection(state) }

    private static func open(
        _ state: amqp_connection_state_t, _ address: RabbitMQAddress, _ options: RabbitMQOptions
    ) throws(BrokerFailure) {
        let made = address.tls == nil ? amqp_tcp_socket_new(state) : amqp_ssl_socket_new(state)
        guard let socket = made else { throw BrokerFailure(.closed, "no memory for a socket") }
        if let tls = address.tls { try TLSSetup.apply(tls, to: socket) }
        var limit = timeval(seconds: address.connectTimeoutSeconds ?? options.connectTimeoutSeconds)
        let status = amqp_socket_open_noblock(socket, address.host, Int32(address.port), &limit)
        guard status == 0 else { throw unreachable(status, address) }
        amqp_set_handshake_timeout(state, &limit)
        var replies = timeval(seconds: options.replyTimeoutSeconds)
        amqp_set_rpc_timeout(state, &replies)
        // The library waits without end for room in the socket; the kernel's own limit ends that wait, whether the
        // peer is dead or merely not reading.
        var sendLimit = UInt32(options.sendTimeoutSeconds * 1000)
        setsockopt(amqp_get_sockfd(state), Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &sendLimit, 4)
    }

    private static func unreachable(_ status: Int32, _ address: RabbitMQAddress) -> BrokerFailure {
        let words = String(cString: amqp_error_string2(status))
        switch amqp_status_enum(status) {
        case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED:
            return BrokerFailure(
                .unreachable, "\(address): the broker's certificate was not made out to '\(address.host)'",
                fix: "Use the name in the certificate as host, or give the broker a certificate with this name")
        case AMQP_STATUS_SSL_PEER_VERIFY_FAILED, AMQP_STATUS_SSL_CONNECTION_FAILED:
            return BrokerFailure(
                .unreachable, "\(address): the TLS handshake failed (\(words))",
                fix: "Name the authority that signed the broker's certificate: ?cacertfile=/path/ca.pem")
        default:
            return BrokerFailure(
                .unreachable, "\(address): cannot connect (\(words))", fix: BrokerFailure.unansweredFix)
        }
    }

    private static func login(
        _ state: amqp_connection_state_t, _ address: RabbitMQAddress, _ duty: String, _ arena: Arena,
        _ options: RabbitMQOptions
    ) throws(BrokerFailure) {
        var properties = arena.table([
            "product": .string("taskhost"),
            "information": .string("rabbitmq-c \(String(cString: amqp_version()))"),
            "connection_name": .string("\(options.connectionName) \(duty)"),
            "capabilities": .table([
                "connection.blocked": .bool(true), "consumer_cancel_notify": .bool(true),
                "basic.nack": .bool(true), "publisher_confirms": .bool(true),
            ]),
        ])
        let reply = crabbitmq_login(
            state, address.vhost, 0, 131072, Int32(address.heartbeatSeconds ?? options.heartbeatSeconds),
            &properties, address.user, address.password)
        do {
            try BrokerFailure.check(reply, "\(address)")
        } catch {
            guard error.code == .closed else { throw error }
            throw BrokerFailure(
                .unreachable, error.detail,
                fix: "Check that this port speaks AMQP 0-9-1 and whether it wants TLS (amqps://)")
        }
    }

    private static func version(_ state: amqp_connection_state_t) -> RabbitMQVersion {
        guard let table = amqp_get_server_properties(state)?.pointee else { return RabbitMQVersion("") }
        return RabbitMQVersion(TableReader.headers(table)["version"]?.text ?? "")
    }

    // ---- calls that wait ----

    /// Sends a method and waits for one of the answers; the result is valid until `release`.
    /// A failure that closed only the channel is answered with close-ok: the channel number may be opened again.
    @discardableResult
    func call<Arguments: BitwiseCopyable>(
        _ channel: UInt16, _ method: UInt32, _ arguments: Arguments, answer: UInt32..., what: String
    ) throws(BrokerFailure) -> amqp_method_t {
        var arguments = arguments
        var answers = answer + [0]
        let reply = amqp_simple_rpc(state, channel, method, &answers, &arguments)
        arena.recycle()
        if reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION, reply.reply.id == MethodID.channelClose {
            let failure = BrokerFailure.closing(reply.reply, what)
            try confirmClose(of: channel)
            throw failure ?? BrokerFailure(.protocolError, what)
        }
        try BrokerFailure.check(reply, what)
        return reply.reply
    }

    func confirmClose(of channel: UInt16) throws(BrokerFailure) {
        try send(channel, MethodID.channelCloseOK, amqp_channel_close_ok_t(), what: "closing a channel")
    }

    func openChannel(_ channel: UInt16) throws(BrokerFailure) {
        try call(
            channel, MethodID.channelOpen, amqp_channel_open_t(out_of_band: amqp_empty_bytes),
            answer: MethodID.channelOpenOK, what: "opening a channel")
    }

    func closeChannel(_ channel: UInt16) throws(BrokerFailure) {
        try call(
            channel, MethodID.channelClose,
            amqp_channel_close_t(reply_code: 200, reply_text: amqp_empty_bytes, class_id: 0, method_id: 0),
            answer: MethodID.channelCloseOK, what: "closing a channel")
    }

    /// Says goodbye. Waits for the broker's answer, at most the reply timeout.
    func close() {
        var limit = timeval(seconds: 2)
        amqp_set_rpc_timeout(state, &limit)
        // Whatever comes of it: the socket is closed next.
        _ = amqp_connection_close(state, 200)
    }

    // ---- frames ----

    func send<Arguments: BitwiseCopyable>(_ channel: UInt16, _ method: UInt32, _ arguments: Arguments, what: String)
        throws(BrokerFailure)
    {
        var arguments = arguments
        let status = amqp_send_method(state, channel, method, &arguments)
        if status != 0 { throw BrokerFailure.library(status, what) }
    }

    /// The next whole frame, or nil when none has come within the time. Also sends heartbeats that are due and notices
    /// missing ones, so it must be called at least every `tickSeconds`.
    func nextFrame(withinSeconds seconds: Double = 0) throws(BrokerFailure) -> amqp_frame_t? {
        var frame = amqp_frame_t()
        var limit = timeval(seconds: seconds)
        let status = amqp_simple_wait_frame_noblock(state, &frame, &limit)
        if status == 0 { return frame }
        if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
        throw BrokerFailure.library(status, "\(address)")
    }

    /// Whether the next frame, or a part of it, has been read from the socket already. False also for what waits in the
    /// kernel, which the loop reports again; over TLS it is not known.
    var hasUnreadInput: Bool {
        address.tls != nil || amqp_frames_enqueued(state) != 0 || amqp_data_in_buffer(state) != 0
    }

    /// Gives back memory of frames that were dealt with. Everything read from frames is void after it.
    func release() { amqp_maybe_release_buffers(state) }

    /// Of some channels only.
    /// - Returns: false: a frame has come in part, and nothing can be given back now.
    func release(_ channels: [UInt16]) -> Bool {
        guard amqp_release_buffers_ok(state) != 0 else { return false }
        for channel in channels { amqp_maybe_release_buffers_on_channel(state, channel) }
        return true
    }

    /// Whether a small frame can be sent without waiting.
    var isWritable: Bool {
        var query = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&query, 1, 0) == 1 && query.revents & Int16(POLLOUT) != 0
    }
}

extension amqp_status_enum {
    init(_ status: Int32) { self.init(rawValue: status) }
}

extension timeval {
    init(seconds: Double) {
        self.init(tv_sec: Int(seconds), tv_usec: Int((seconds - seconds.rounded(.down)) * 1e6))
    }
}
