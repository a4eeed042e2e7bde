// Carries one connection over TLS: hiredis 0.14 speaks plain to one end of a socket pair, the server TLS to us.
import COpenSSL
import Glibc
import Ports

/// Belongs to the loop's thread, and never blocks it. Each direction has one buffer; while it cannot be emptied, its
/// source is not read, so that a slow side holds up the other and nothing else.
final class TLSCarrier {
    /// hiredis' end of the pair; its taker closes it.
    let plainEnd: Int32
    /// The handshake is over, and the server is who it should be.
    private(set) var isOpen = false
    /// Why hiredis reads the end of the stream; nil: it has not come to that.
    private(set) var endReason: String?

    private let address: RedisAddress
    private let failed: (TLSError) -> Void
    private let session: OpaquePointer
    private let socket: Int32
    private let pairEnd: Int32
    private var isConnected = false
    private var isBroken = false
    private var isClosed = false
    private var outward = TLSBuffer()
    private var inward = TLSBuffer()
    /// What OpenSSL waits for, beside input while there is room for it.
    private var wantsWrite = false
    private var socketWatch: (any LoopWatch)?
    private var pairWatch: (any LoopWatch)?
    private var socketInterest: Readiness = .write
    private var pairInterest: Readiness = []

    /// - Parameters:
    ///   - socket: A non-blocking one that is being connected. Ours from now on, unless this throws.
    ///   - failed: The session could not be made, or was refused; called at most once, never from within `init`.
    init(
        _ tls: RedisAddress.TLS, over socket: Int32, host: String, address: RedisAddress, loop: any EventLoop,
        failed: @escaping (TLSError) -> Void
    ) throws(StoreFailure) {
        guard let session = try TLSContext(tls).session(with: host, tls) else {
            throw StoreFailure("OpenSSL has no memory for a connection")
        }
        var ends: [Int32] = [-1, -1]
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        guard SSL_set_fd(session, socket) == 1, socketpair(AF_UNIX, Int32(kind), 0, &ends) == 0 else {
            SSL_free(session)
            throw StoreFailure("no socket pair: \(String(cString: strerror(errno)))")
        }
        // hiredis 0.14 opens its sockets without.
        _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
        SSL_set_connect_state(session)
        self.address = address
        self.failed = failed
        self.session = session
        self.socket = socket
        (plainEnd, pairEnd) = (ends[0], ends[1])
        socketWatch = loop.watch(socket, for: socketInterest) { [weak self] _ in self?.turn() }
        pairWatch = loop.watch(pairEnd, for: pairInterest) { [weak self] _ in self?.turn() }
    }

    deinit { close() }

    /// Hands on what hiredis wrote before its end was closed, as far as the server takes it, and bids farewell.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        stopWatching()
        if isOpen, !isBroken {
            carryOutward()
            if !isBroken { _ = SSL_shutdown(session) }
        }
        ERR_clear_error()
        SSL_free(session)
        _ = Glibc.close(socket)
        _ = Glibc.close(pairEnd)
    }

    private func turn() {
        guard !isClosed, connect(), shakeHands() else { return }
        wantsWrite = false
        // Inward first: a server that has refused us says why before it breaks what we write.
        carryInward()
        if !isBroken { carryOutward() }
        guard !isClosed else { return }
        if isBroken, inward.isEmpty { return end() }
        var (ofSocket, ofPair): (Readiness, Readiness) = ([], [])
        if inward.isEmpty { ofSocket.insert(.read) } else { ofPair.insert(.write) }
        if wantsWrite { ofSocket.insert(.write) }
        if outward.isEmpty, !isBroken { ofPair.insert(.read) }
        wait(socket: ofSocket, pair: ofPair)
    }

    /// False while the socket is being connected, and when it could not be.
    private func connect() -> Bool {
        guard !isConnected else { return true }
        var error: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) == 0, error == 0 else {
            fail(.lost(String(cString: strerror(error))))
            return false
        }
        isConnected = true
        return true
    }

    private func shakeHands() -> Bool {
        guard !isOpen else { return true }
        switch attempt({ SSL_connect(session) }) {
        case SSL_ERROR_NONE:
            isOpen = true
            return true
        case SSL_ERROR_WANT_READ: wait(socket: .read, pair: [])
        case SSL_ERROR_WANT_WRITE: wait(socket: .write, pair: [])
        case let status: fail(TLSError(session, status, isOpen: false, at: address))
        }
        return false
    }

    /// Until the server has sent no more, or hiredis has not read what came.
    private func carryInward() {
        while !isClosed {
            while !inward.isEmpty {
                let sent = inward.withContent { send(pairEnd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                // Full, or hiredis has closed its end: then we are about to be closed as well.
                guard sent > 0 else { return }
                inward.drop(sent)
            }
            guard !isBroken else { return }
            var got = 0
            switch attempt({ inward.withRoom { SSL_read_ex(session, $0.baseAddress, $0.count, &got) } }) {
            case SSL_ERROR_NONE: inward.added(got)
            case SSL_ERROR_WANT_READ: return
            case SSL_ERROR_WANT_WRITE:
                wantsWrite = true
                return
            case let status: return broke(status)
            }
        }
    }

    /// Until hiredis has written no more, or the server takes no more.
    private func carryOutward() {
        while true {
            if outward.isEmpty {
                let got = outward.withRoom { read(pairEnd, $0.baseAddress, $0.count) }
                guard got > 0 else { return }
                outward.added(got)
            }
            var sent = 0
            switch attempt({ outward.withContent { SSL_write_ex(session, $0.baseAddress, $0.count, &sent) } }) {
            case SSL_ERROR_NONE: outward.drop(sent)
            case SSL_ERROR_WANT_READ: return
            case SSL_ERROR_WANT_WRITE:
                wantsWrite = true
                return
            case let status: return broke(status)
            }
        }
    }

    /// SSL_get_error's word: 0 when the call did what it should.
    private func attempt(_ call: () -> Int32) -> Int32 {
        // It looks at the thread's queue of errors, which others may have filled.
        ERR_clear_error()
        errno = 0
        return SSL_get_error(session, call())
    }

    private func broke(_ status: Int32) {
        isBroken = true
        // It would be called for a hang-up again and again.
        socketWatch?.cancel()
        socketWatch = nil
        switch TLSError(session, status, isOpen: true, at: address) {
        case .lost(let reason): endReason = reason
        case let refused: fail(refused)
        }
    }

    /// hiredis has all that came before the end; now it reads the end itself.
    private func end() {
        stopWatching()
        shutdown(pairEnd, Int32(SHUT_WR))
    }

    private func fail(_ failure: TLSError) {
        isBroken = true
        stopWatching()
        failed(failure)
    }

    private func wait(socket: Readiness, pair: Readiness) {
        if socket != socketInterest { socketWatch?.change(to: socket) }
        if pair != pairInterest { pairWatch?.change(to: pair) }
        (socketInterest, pairInterest) = (socket, pair)
    }

    private func stopWatching() {
        socketWatch?.cancel()
        pairWatch?.cancel()
        (socketWatch, pairWatch) = (nil, nil)
    }
}

/// One record's worth of bytes: filled when empty, emptied from the front. At a fixed place, because OpenSSL wants a
/// write repeated from where it was.
struct TLSBuffer: ~Copyable {
    private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 16384, alignment: 16)
    private var content = 0..<0

    deinit { bytes.deallocate() }

    var isEmpty: Bool { content.isEmpty }

    func withContent<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        body(UnsafeRawBufferPointer(rebasing: bytes[content]))
    }

    func withRoom<Result>(_ body: (UnsafeMutableRawBufferPointer) -> Result) -> Result { body(bytes) }

    mutating func added(_ count: Int) { content = 0..<count }

    mutating func drop(_ count: Int) { content = content.lowerBound + count..<content.upperBound }
}
