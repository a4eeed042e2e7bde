// A conversation with a mail server (RFC 5321): lines out, replies in. Una conversación con un servidor de correo.

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
    private let connection: TCPConnection

    /// - Parameter server: "host:port".
    init(server: String) throws(MailProblem) {
        guard let colon = server.lastIndex(of: ":") else { throw .never("SMTP_SERVER=\(server): write host:port") }
        do {
            connection = try TCPConnection(
                host: String(server[..<colon]), port: String(server[server.index(after: colon)...]))
        } catch {
            throw .later(error.reason)
        }
        try expect(220, try reply())
        try expect(250, try ask("EHLO taskhost"))
    }

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
        do { try connection.write(line + "\r\n") } catch { throw .later(error.reason) }
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
            let line: String
            do { line = try connection.line() } catch { throw .later(error.reason) }
            guard let code = Int(line.prefix(3)) else { throw .later("the server said: \(line)") }
            if line.dropFirst(3).first != "-" { return SMTPReply(code: code, text: String(line.dropFirst(4))) }
        }
    }
}
