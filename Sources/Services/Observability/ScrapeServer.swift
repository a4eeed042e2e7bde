// The HTTP side: /metrics, /livez, /readyz for probes and scrapers, and nothing else.
import Glibc
import Synchronization

public enum ScrapeFailure: Error, CustomStringConvertible {
    case address(String)
    case system(String, Int32)

    public var description: String {
        switch self {
        case .address(let host): "[metrics] host \(host) is no IPv4 address: write 127.0.0.1, or 0.0.0.0 for all"
        case .system(let what, let code):
            "cannot serve metrics at \(what): \(String(cString: strerror(code))); choose another --metrics-port"
        }
    }
}

/// On a thread of its own, many connections in one poll: a slow client delays no other. A request must be there
/// within a second, its answer taken within two more. The loop is never waited for.
public final class ScrapeServer: Sendable {
    public let port: UInt16
    private let descriptor: Int32
    private let answer: @Sendable (String) -> ScrapeAnswer

    /// - port: 0: a free one.
    public init(
        host: String, port: UInt16, answer: @escaping @Sendable (_ path: String) -> ScrapeAnswer
    ) throws(ScrapeFailure) {
        self.answer = answer
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { throw .address(host) }
        let place = "\(host):\(port)"
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw .system(place, errno) }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = descriptor
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isListening else {
            let code = errno
            close(descriptor)
            throw .system(place, code)
        }
        self.port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(descriptor) }

    /// Beyond these the one that has been there longest goes: probes come and go, dawdlers stay.
    private static let maxConnections = 64
    private static let pauseMilliseconds: Int32 = 100

    /// Serves on the calling thread, as long as the process lives.
    public func serve() {
        var connections: [ScrapeConnection] = []
        var accepts = true
        while true {
            var watched = [pollfd(fd: descriptor, events: accepts ? Int16(POLLIN) : 0, revents: 0)]
            watched += connections.map { pollfd(fd: $0.descriptor, events: $0.interest, revents: 0) }
            let waits = accepts && connections.isEmpty ? -1 : Self.pauseMilliseconds
            guard poll(&watched, nfds_t(watched.count), waits) >= 0 || errno == EINTR else {
                usleep(UInt32(Self.pauseMilliseconds) * 1000)
                continue
            }
            for (connection, one) in zip(connections, watched.dropFirst()) where one.revents != 0 {
                connection.proceed(answer)
            }
            connections.removeAll { $0.isOver }
            accepts = true
            if watched[0].revents != 0 { accepts = acceptAll(into: &connections) }
        }
    }

    /// False: out of descriptors, most likely; that passes.
    private func acceptAll(into connections: inout [ScrapeConnection]) -> Bool {
        while true {
            let accepted = accept(descriptor, nil, nil)
            if accepted >= 0 {
                _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
                _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
                if connections.count >= Self.maxConnections { connections.removeFirst() }
                connections.append(ScrapeConnection(accepted))
            } else if errno == EAGAIN {
                return true
            } else if errno != EINTR, errno != ECONNABORTED {
                return false
            }
        }
    }
}

public struct ScrapeAnswer: Sendable {
    public var status: String
    public var type: String
    public var text: String

    public init(status: String = "200 OK", type: String = "text/plain; charset=utf-8", text: String) {
        self.status = status
        self.type = type
        self.text = text
    }
}
