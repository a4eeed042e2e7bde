// The tasks of a mail campaign. Las tareas de una campaña de correos.
import TaskhostSDK

/// Sends one mail. What became of it is its result, also when the server refuses it: a failure would take the report of all
/// the others with it. / Envía un correo. Lo que pasó es su resultado, también si el servidor lo rechaza: un fallo se
/// llevaría el informe de todos los demás.
@MainActor
struct Send: TaskHandler {
    // One process sends many mails, over one connection. Un proceso envía muchos correos por una conexión.
    nonisolated static let options = TaskOptions(
        hardLimit: .seconds(60), retry: .atMost(3), keep: 500, doc: "Sends one mail.")

    @Arg var recipient: String
    @Arg var subject: String
    @Arg var body: String

    struct Sent: Codable {
        var recipient: String
        /// "sent", "refused" (for good) or "undelivered" (after the last attempt).
        var status: String
        var attempts: Int
        var reason: String?
    }

    func run(_ task: TaskContext) throws -> Sent {
        let attempts = task.retries + 1
        do throws(MailProblem) {
            try MailServer.deliver(recipient, subject, body, id: task.id)
            return Sent(recipient: recipient, status: "sent", attempts: attempts)
        } catch {
            switch error {
            case .never(let reason):
                return Sent(recipient: recipient, status: "refused", attempts: attempts, reason: reason)
            case .later(let reason) where task.retries >= task.maxRetries ?? 3:
                return Sent(recipient: recipient, status: "undelivered", attempts: attempts, reason: reason)
            case .later:
                throw Retry(after: .seconds(1 << task.retries))
            }
        }
    }
}

/// Counts what became of all mails, and mails that. Cuenta lo que pasó con todos, y lo envía.
@MainActor
struct Report: TaskHandler {
    nonisolated static let options = TaskOptions(
        hardLimit: .seconds(60), retry: .backoff(maxRetries: 5).only(for: ["MailProblem"]), doc: "Mails the report.")

    @Arg var results: [Send.Sent]
    @Arg var to: String
    @Arg var subject: String

    struct Summary: Codable {
        var total: Int
        var sent: Int
        var retried: Int
        var failed: [Send.Sent]
    }

    func run(_ task: TaskContext) throws -> Summary {
        let failed = results.filter { $0.status != "sent" }
        let summary = Summary(
            total: results.count, sent: results.count - failed.count, retried: results.count { $0.attempts > 1 },
            failed: failed)
        let lines =
            ["total: \(summary.total)", "sent: \(summary.sent)", "after another attempt: \(summary.retried)", ""]
            + failed.map { "\($0.recipient): \($0.status), \($0.reason ?? "")" }
        try MailServer.deliver(to, "Report: \(subject)", lines.joined(separator: "\n"), id: task.id)
        return summary
    }
}

/// The whole campaign: all mails side by side, then the report, whose result is this task's. / La campaña entera: todos los
/// correos en paralelo y después el informe, cuyo resultado es el de esta tarea.
struct Campaign: TaskHandler {
    static let options = TaskOptions(doc: "Sends a mail to each of the recipients, then the report.")

    @Arg var recipients: [String]
    @Arg var subject: String
    @Arg var body: String
    @Arg var reportTo: String

    enum CodingKeys: String, CodingKey {
        case recipients, subject, body
        case reportTo = "report_to"
    }

    func run(_ task: TaskContext) throws -> Never {
        let mails = recipients.map { Signature("mail.send", .string($0), .string(subject), .string(body)) }
        let report = Signature("mail.report", .string(reportTo), .string(subject))
        throw Replace(with: .chord(mails, body: report))
    }
}

@c(taskhost_bundle_v1)
public func bundle(_ host: UnsafePointer<taskhost_host>) -> Int32 {
    Bundle("mail", version: "1.0.0") {
        Send.self
        Report.self
        Campaign.self
    }.register(with: host)
}
