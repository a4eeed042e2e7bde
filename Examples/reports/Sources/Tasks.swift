// The stages of a report: ask the database, make the PDF, mail it. Each leaves a file in the report's folder, and one that
// finds its own does nothing again: a report that failed goes on where it was. / Las etapas de un informe: cada una deja un
// archivo; la que encuentra el suyo no repite el trabajo.
import Glibc
import TaskhostSDK

/// What beat sends: the stages of one report, whose last gives the result. One report of a kind for a day, however often it is
/// sent. / Lo que envía beat: las etapas de un informe. De cada tipo uno por día, aunque se envíe dos veces.
struct Make: TaskHandler {
    static let options = TaskOptions(
        hardLimit: .seconds(60), doc: "Makes and mails a report.", schedules: Kind.schedules)

    @Arg var kind: String
    /// "2026-12-01"; nil: today. Hoy, si falta.
    @Arg var day: String?

    func run(_ task: TaskContext) throws -> Never {
        _ = try Kind.named(kind)
        let day = try day ?? today()
        guard day.wholeMatch(of: #/\d{4}-\d{2}-\d{2}/#) != nil else {
            throw TaskError(type: "ValueError", "\(day) is no day: write it as 2026-12-01")
        }
        let folder = JSON.string("\(try setting("REPORTS"))/\(day)-\(kind)")
        throw Replace(
            with: Signature("reports.ask", folder, .string(kind), .string(day)) | Signature("reports.draw")
                | Signature("reports.mail"))
    }

    private func today() throws -> String {
        try Database(":memory:").rows("SELECT date('now', 'localtime')", [])[0][0]
    }
}

/// What a report says, as the stages hand it on by file. Lo que dice un informe.
struct Table: Encodable {
    var title, subtitle: String
    /// The first is the heading. La primera es el encabezado.
    var rows: [[String]]
}

/// Database -> table.json. Retried by itself, as the other stages: three times, an hour later each. / Como las otras
/// etapas, se reintenta sola: tres veces, cada una a la hora.
struct Ask: TaskHandler {
    static let options = TaskOptions(hardLimit: .seconds(600), retry: hourly, doc: "The database's answers.")

    @Arg var folder: String
    @Arg var kind: String
    @Arg var day: String

    func run(_ task: TaskContext) throws -> String {
        try stage(task, "\(folder)/table.json") { path in
            let kind = try Kind.named(kind)
            let database = try Database(try setting("DATABASE"))
            let (since, until) = try kind.period(day, database)
            let rows = try database.rows(kind.sql, [since, until])
            let subtitle = since == day ? since : "\(since) – \(until)"
            let table = Table(title: kind.title, subtitle: subtitle, rows: [kind.heading] + rows)
            try Files.makeFolder(folder)
            try Files.write(try JSON(encoding: table).bytes, to: path)
        }
        return folder
    }
}

/// table.json -> report.pdf
struct Draw: TaskHandler {
    static let options = TaskOptions(hardLimit: .seconds(600), retry: hourly, doc: "The report as PDF.")

    @Arg var folder: String

    func run(_ task: TaskContext) throws -> String {
        try stage(task, "\(folder)/report.pdf") { path in
            let table = try Table(reading: "\(folder)/table.json")
            let cells = table.rows.flatMap { $0 }.map { strdup($0) }
            defer { cells.forEach { free($0) } }
            let problem = cells.map { UnsafePointer($0) }.withUnsafeBufferPointer {
                report_pdf(
                    path + ".new", table.title, table.subtitle, $0.baseAddress, Int32(table.rows.count),
                    Int32(table.rows[0].count))
            }
            if let problem { throw TaskError(type: "OSError", "\(path): \(String(cString: problem))") }
            try Files.move(path + ".new", to: path)
        }
        return folder
    }
}

/// report.pdf -> a mail, and the file `mailed`, which says when.
@MainActor
struct SendMail: TaskHandler {
    nonisolated static let options = TaskOptions(
        name: "reports.mail", hardLimit: .seconds(600), retry: hourly, doc: "Mails the report.")

    @Arg var folder: String

    func run(_ task: TaskContext) throws -> String {
        try stage(task, "\(folder)/mailed") { path in
            let table = try Table(reading: "\(folder)/table.json")
            let name = folder.split(separator: "/").last.map(String.init) ?? "report"
            let attachment = Mail.Attachment(
                name: "\(name).pdf", type: "application/pdf", bytes: try Files.read("\(folder)/report.pdf"))
            // The same id whenever this report is sent: who gets it twice, after a crash, can tell.
            let (recipient, text) = (try setting("REPORTS_TO"), "\(table.title)\n\(table.subtitle)\n")
            do throws(MailProblem) {
                try MailServer.deliver(recipient, table.title, text, attachment: attachment, id: name)
            } catch {
                switch error {
                case .later(let reason): throw TaskError(type: "ConnectionError", reason)
                case .never(let reason): throw TaskError(type: "ValueError", reason)
                }
            }
            try Files.write(Array("\(time(nil))\n".utf8), to: path)
        }
        return folder
    }
}

/// Three more attempts, an hour later each. Tres intentos más, cada uno a la hora.
private let hourly = RetryPolicy.backoff(
    maxRetries: 3, first: .seconds(3600), longest: .seconds(3600), jitter: false
).except(for: ["ValueError"])

private func stage(_ task: TaskContext, _ path: String, _ make: (String) throws -> Void) throws {
    if Files.exists(path) { return task.log("\(path) is there already") }
    try make(path)
    task.log("\(path) is made")
}

/// The worker passes these on because its settings say so. Los ajustes del worker las dejan pasar.
private func setting(_ name: String) throws -> String {
    if let value = getenv(name) { return String(cString: value) }
    throw TaskError(type: "ValueError", "\(name) is not set: see README.md")
}

extension Table {
    init(reading path: String) throws {
        let json = try JSON(parsing: try Files.read(path))
        guard let title = json["title"]?.text, let subtitle = json["subtitle"]?.text, let rows = json["rows"]?.elements
        else { throw TaskError(type: "ValueError", "\(path) is no table of a report") }
        self.init(
            title: title, subtitle: subtitle, rows: rows.map { ($0.elements ?? []).compactMap { $0.text } })
    }
}

@c(taskhost_bundle_v1)
public func bundle(_ host: UnsafePointer<taskhost_host>) -> Int32 {
    Bundle("reports", version: "1.0.0") {
        Make.self
        Ask.self
        Draw.self
        SendMail.self
    }.register(with: host)
}
