// A stream socket to one server, never blocking: opened, written and read in pieces.
import Glibc

/// Owns its descriptor.
final class ServerSocket {
    enum Progress: Equatable {
        case done
        /// The kernel takes or has no more for now.
        case wait
        case failed(String)
    }

    let descriptor: Int32
    private var out: [UInt8] = []
    private var written = 0

    /// - Parameter address: numeric.
    /// - Returns: nil, with errno, when it cannot even begin.
    init?(address: String, port: Int) {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address, "\(port)", &hints, &found) == 0, let info = found?.pointee else { return nil }
        defer { freeaddrinfo(found) }
        descriptor = Self.open(info.ai_family)
        guard descriptor >= 0 else { return nil }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, socklen_t(MemoryLayout<Int32>.size))
        guard connect(descriptor, info.ai_addr, info.ai_addrlen) == 0 || errno == EINPROGRESS else { return nil }
    }

    init?(path: String) {
        var address = sockaddr_un()
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            errno = ENAMETOOLONG
            return nil
        }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        descriptor = Self.open(AF_UNIX)
        guard descriptor >= 0 else { return nil }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard status == 0 || errno == EINPROGRESS else { return nil }
    }

    deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

    private static func open(_ family: Int32) -> Int32 {
        socket(family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }

    /// Once it has become writable: whether it is connected.
    func connected() -> Progress {
        var error: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) == 0 else {
            return .failed(Self.text(errno))
        }
        return error == 0 ? .done : .failed(Self.text(error))
    }

    /// Goes out with the next `flush`.
    func write(_ append: (inout [UInt8]) -> Void) { append(&out) }

    func flush() -> Progress {
        while written < out.count {
            let count = out.withUnsafeBytes { bytes in
                send(descriptor, bytes.baseAddress! + written, bytes.count - written, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                written += count
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                return .wait
            } else if errno != EINTR {
                return .failed(Self.text(errno))
            }
        }
        out.removeAll(keepingCapacity: out.capacity <= 1 << 20)
        written = 0
        return .done
    }

    /// Hands over all that has come.
    func read(_ take: (UnsafeRawBufferPointer) -> Void) -> Progress {
        var failure: Progress?
        withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { room in
            while failure == nil {
                let count = recv(descriptor, room.baseAddress, room.count, 0)
                if count > 0 {
                    take(UnsafeRawBufferPointer(rebasing: room[..<count]))
                } else if count == 0 {
                    failure = .failed("the connection was closed")
                } else if errno == EAGAIN || errno == EWOULDBLOCK {
                    failure = .wait
                } else if errno != EINTR {
                    failure = .failed(Self.text(errno))
                }
            }
        }
        return failure ?? .wait
    }

    static func text(_ number: Int32) -> String { String(cString: strerror(number)) }
}
