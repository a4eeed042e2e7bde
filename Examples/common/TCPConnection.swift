// A TCP connection that lines and bytes go through, by the system's own calls. Una conexión TCP.
import Glibc

/// No connection, or no longer; the text says whose.
struct ConnectionLost: Error {
    var reason: String
}

final class TCPConnection {
    private let descriptor: Int32
    private let name: String
    private var received: [UInt8] = []

    init(host: String, port: String) throws(ConnectionLost) {
        name = "\(host):\(port)"
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, port, &hints, &found) == 0 else { throw ConnectionLost(reason: "\(name) is not known") }
        defer { freeaddrinfo(found) }
        var place = found
        while let address = place?.pointee {
            let descriptor = socket(address.ai_family, address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
            if descriptor >= 0, connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 {
                self.descriptor = descriptor
                return
            }
            if descriptor >= 0 { close(descriptor) }
            place = address.ai_next
        }
        throw ConnectionLost(reason: "\(name) takes no connection")
    }

    deinit { close(descriptor) }

    func write(_ text: String) throws(ConnectionLost) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw ConnectionLost(reason: "\(name) has closed the connection") }
            sent += count
        }
    }

    /// The next line, without its end.
    func line() throws(ConnectionLost) -> String {
        while true {
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                let line = received[..<end].filter { $0 != UInt8(ascii: "\r") }
                received.removeSubrange(...end)
                return String(decoding: line, as: UTF8.self)
            }
            guard try receive() else { throw ConnectionLost(reason: "\(name) has closed the connection") }
        }
    }

    /// What is left until the other side closes; `most` bytes at the most.
    func rest(most: Int) throws(ConnectionLost) -> [UInt8] {
        while received.count < most, try receive() {}
        return Array(received.prefix(most))
    }

    /// False: the other side has said all.
    private func receive() throws(ConnectionLost) -> Bool {
        var part = [UInt8](repeating: 0, count: 16_384)
        let count = recv(descriptor, &part, part.count, 0)
        guard count >= 0 else { throw ConnectionLost(reason: "\(name) has broken the connection") }
        received += part[..<count]
        return count > 0
    }
}
