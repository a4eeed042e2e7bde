// A connection to a mail server (RFC 5321): lines out, replies in. Una conexión con un servidor de correo.
import Glibc

/// What the server says: a code of three digits, 2xx and 3xx for yes, 4xx for "later", 5xx for no.
struct SMTPReply {
    var code: Int
    var text: String
}

/// Why a mail was not taken. Por qué no se aceptó un correo.
enum MailProblem: Error {
    /// Trying again later may help: a reply of 4xx, or no connection. Reintentar puede servir.
    case later(String)
    /// It will not: a reply of 5xx. No servirá.
    case never(String)
}

final class SMTPConnection {
    private let descriptor: Int32
    private var received: [UInt8] = []

    /// - Parameter server: "host:port".
    init(server: String) throws(MailProblem) {
        guard let colon = server.lastIndex(of: ":") else { throw .never("SMTP_SERVER=\(server): write host:port") }
        let port = server[server.index(after: colon)...]
        descriptor = try Self.connected(to: String(server[..<colon]), port: String(port))
        try expect(220, try reply())
        try expect(250, try ask("EHLO taskhost"))
    }

    deinit { close(descriptor) }

    /// Hands over one mail; when it returns, the server has it.
    func deliver(_ mail: Mail) throws(MailProblem) {
        do {
            try expect(250, try ask("MAIL FROM:<\(mail.sender)>"))
            try expect(250, try ask("RCPT TO:<\(mail.recipient)>"))
            try expect(354, try ask("DATA"))
            try expect(250, try ask(mail.lines + "."))
        } catch {
            // The next mail of this connection begins afresh. El siguiente empieza de cero.
            _ = try ask("RSET")
            throw error
        }
    }

    private func ask(_ line: String) throws(MailProblem) -> SMTPReply {
        try write(Array((line + "\r\n").utf8))
        return try reply()
    }

    private func expect(_ code: Int, _ reply: SMTPReply) throws(MailProblem) {
        if reply.code == code { return }
        let said = "\(reply.code) \(reply.text)"
        throw reply.code >= 500 ? .never(said) : .later(said)
    }

    /// A reply may have several lines; all but the last have a hyphen after the code.
    private func reply() throws(MailProblem) -> SMTPReply {
        while true {
            let line = try self.line()
            guard let code = Int(line.prefix(3)) else { throw .later("the server said: \(line)") }
            if line.dropFirst(3).first != "-" { return SMTPReply(code: code, text: String(line.dropFirst(4))) }
        }
    }

    private func line() throws(MailProblem) -> String {
        while true {
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                let line = received[..<end].filter { $0 != UInt8(ascii: "\r") }
                received.removeSubrange(...end)
                return String(decoding: line, as: UTF8.self)
            }
            var part = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptor, &part, part.count, 0)
            guard count > 0 else { throw .later("the server has closed the connection") }
            received += part[..<count]
        }
    }

    private func write(_ bytes: [UInt8]) throws(MailProblem) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw .later("the server has closed the connection") }
            sent += count
        }
    }

    private static func connected(to host: String, port: String) throws(MailProblem) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, port, &hints, &found) == 0 else { throw .later("\(host):\(port) is not known") }
        defer { freeaddrinfo(found) }
        var place = found
        while let address = place?.pointee {
            let descriptor = socket(address.ai_family, address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
            if descriptor >= 0, connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return descriptor }
            if descriptor >= 0 { close(descriptor) }
            place = address.ai_next
        }
        throw .later("\(host):\(port) takes no connection")
    }
}
