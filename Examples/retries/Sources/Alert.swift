// What happens when a task has failed for good: somebody gets a mail. Cuando una tarea falla del todo, alguien recibe un correo.
import TaskhostSDK

/// An errback: clients link it to what they send. `takesFailure`: it is told what failed, and how. It is called by itself, so
/// the mail, which may have to wait for its server, is a task of its own. / Se enlaza con `link_error`.
struct Alert: TaskHandler {
    static let options = TaskOptions(doc: "An errback: mails what failed.", takesFailure: true)

    @Arg var request: JSON
    @Arg var failure: JSON
    @Arg var traceback: JSON
    @Arg var to: String

    func run(_ task: TaskContext) throws {
        let (name, id) = (request["task"]?.text ?? "a task", request["id"]?.text ?? "?")
        let body = "\(name) has failed for good.\n\nid: \(id)\nfailure: \(failure)\n\n\(traceback.text ?? "")"
        try task.send(Signature("retries.send_mail", .string(to), .string("Failed: \(name)"), .string(body)))
    }
}

@MainActor
struct SendMail: TaskHandler {
    nonisolated static let options = TaskOptions(
        hardLimit: .seconds(60),
        retry: .backoff(maxRetries: 5, first: .milliseconds(500)).only(for: ["MailProblem"]), ignoreResult: true,
        doc: "Sends one mail.")

    @Arg var to: String
    @Arg var subject: String
    @Arg var body: String

    func run(_ task: TaskContext) throws {
        try MailServer.deliver(to, subject, body, id: task.id)
    }
}
