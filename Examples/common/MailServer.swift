// The mail server that SMTP_SERVER names, and this process's connection to it. El servidor de correo.
import Glibc

/// The connection is made when the first mail needs it. La conexión se abre con el primer correo.
@MainActor
enum MailServer {
    private static var connection: SMTPConnection?

    /// - Parameter id: the task's; whoever gets a mail twice, after a crash, can tell by it.
    static func deliver(
        _ recipient: String, _ subject: String, _ body: String, attachment: Mail.Attachment? = nil, id: String
    ) throws(MailProblem) {
        guard Mail.isAddress(recipient) else { throw .never("no address") }
        let mail = Mail(
            sender: "noreply@example.com", recipient: recipient, subject: subject, body: body, attachment: attachment,
            id: id)
        let open = if let connection { connection } else { try SMTPConnection(server: address) }
        // Kept only if all goes well: one that has failed may be in any state.
        connection = nil
        try open.deliver(mail)
        connection = open
    }

    /// The worker passes SMTP_SERVER on because taskhost.toml says so. taskhost.toml deja pasar SMTP_SERVER.
    private static var address: String { getenv("SMTP_SERVER").map { String(cString: $0) } ?? "localhost:25" }
}
