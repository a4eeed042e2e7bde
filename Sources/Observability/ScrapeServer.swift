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

/// On a thread of its own, one connection at a time: an exchange may take two seconds, so that whoever dawdles does
/// not keep others out for longer. The loop is never waited for.
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
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system(place, errno) }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = descriptor
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &length) == 0
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

    /// Serves on the calling thread, as long as the process lives.
    public func serve() {
        while true {
            let connection = accept(descriptor, nil, nil)
            if connection >= 0 {
                _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                exchange(on: connection)
                close(connection)
            } else if errno != EINTR, errno != ECONNABORTED {
                // Out of descriptors, most likely: it passes.
                usleep(100_000)
            }
        }
    }

    private func exchange(on connection: Int32) {
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        guard let head = readHead(connection) else { return }
        let words = head.prefix { $0 != "\r\n" && $0 != "\n" }.split(separator: " ")
        let reply: ScrapeAnswer
        if words.count == 3, words[0] == "GET" || words[0] == "HEAD", words[2].hasPrefix("HTTP/1.") {
            reply = answer(String(words[1].prefix { $0 != "?" }))
        } else {
            reply = ScrapeAnswer(status: "405 Method Not Allowed", text: "GET only\n")
        }
        let text =
            "HTTP/1.1 \(reply.status)\r\nContent-Type: \(reply.type)\r\nContent-Length: \(reply.text.utf8.count)\r\n"
            + "Connection: close\r\n\r\n" + (words.first == "HEAD" ? "" : reply.text)
        write(Array(text.utf8), to: connection)
    }

    /// nil: nothing sensible came in time.
    private func readHead(_ connection: Int32) -> String? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 2048)
        let start = time(nil)
        while bytes.count < 8192, time(nil) - start < 2 {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            bytes += buffer.prefix(count)
            let text = String(decoding: bytes, as: UTF8.self)
            if text.hasSuffix("\r\n\r\n") || text.hasSuffix("\n\n") { return text }
        }
        return nil
    }

    private func write(_ bytes: [UInt8], to connection: Int32) {
        var sent = 0
        let start = time(nil)
        while sent < bytes.count, time(nil) - start < 2 {
            let count = bytes.withUnsafeBytes {
                send(connection, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
        shutdown(connection, Int32(SHUT_WR))
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
