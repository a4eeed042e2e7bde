// What `taskhost doctor` looks at in PostgreSQL: who lets us in, what lies in the tables, and whose rows they are.
import Ports
import SQLRows

/// Changes nothing there.
final class PostgreSQLExamination {
    private let address: PostgreSQLAddress
    private let question: ExaminationQuestion
    private let tables: ResultTables
    private let loop: any EventLoop
    private var link: PostgreSQLLink?
    private var done: (([Finding]) -> Void)?

    /// Rows that are looked at, from the last.
    private static let sample = 100

    init(_ address: PostgreSQLAddress, _ question: ExaminationQuestion, _ loop: any EventLoop) {
        self.address = address
        self.question = question
        self.loop = loop
        tables = ResultTables(question.results)
    }

    func run(done: @escaping ([Finding]) -> Void) {
        self.done = done
        let link = PostgreSQLLink(
            address: address, loop: loop, prepare: { _, done in done(nil) },
            tell: { [weak self] event in self?.changed(event) })
        self.link = link
        link.connect()
    }

    private func changed(_ event: LinkEvent) {
        switch event {
        case .up: askForServer()
        case .down(let reason, _): end([.fail(question.subject, reason, fix: "check that PostgreSQL runs there")])
        case .refused(let failure): end([.fail(question.subject, failure.detail, fix: failure.fix)])
        }
    }

    private func end(_ findings: [Finding]) {
        guard let done else { return }
        self.done = nil
        // Not from within a callback of its own.
        _ = loop.schedule(afterSeconds: 0) { [self] in
            link?.close()
            link = nil
            done(findings)
        }
    }

    /// Answers one row of texts.
    private func ask(_ sql: String, _ parameters: [Parameter], _ answered: @escaping ([String?]) -> Void) {
        link?.send([Statement(sql: sql, parameters: parameters)]) { [weak self] _, answer in
            guard let self else { return }
            switch answer {
            case .rows(let rows):
                answered((rows.first ?? []).map { $0.map { String(decoding: $0, as: UTF8.self) } })
            case .failed(let error): end([.fail(question.subject, "\(address): \(error.message)", fix: nil)])
            case .lost: end([.fail(question.subject, "\(address) ended the connection", fix: "see its log")])
            }
        }
    }

    private func askForServer() {
        let sql = """
            SELECT current_setting('server_version'), current_setting('transaction_read_only'),
            (to_regclass($1) IS NOT NULL)::text,
            coalesce(has_schema_privilege(coalesce($2, current_schema()), 'CREATE'), false)::text
            """
        let schema = tables.task.schema.map { Parameter.text($0) }
        let name = Parameter.text(tables.task.quoted("\""))
        let words = schema.map { [name, $0] } ?? [name]
        ask(schema == nil ? sql.replacing("$2", with: "NULL") : sql, words) { [self] cells in
            guard cells.count == 4 else { return end([]) }
            let place = "PostgreSQL \(cells[0] ?? "?") at \(address)"
            if cells[1] == "on" {
                return end([
                    .fail(
                        question.subject, "\(place) takes no writes: it is a standby, or read-only",
                        fix: "point the address at the primary, or name all servers: they are tried in turn")
                ])
            }
            if cells[2] == "true" { return askForRights(place) }
            end([
                cells[3] == "true"
                    ? .ok(question.subject, "\(place); its tables will be made")
                    : .fail(
                        question.subject, "\(place) has no table \(tables.task.name), and we may not make it",
                        fix: "GRANT CREATE on the schema, or let Celery make its tables")
            ])
        }
    }

    private func askForRights(_ place: String) {
        let table = tables.task.quoted("\"")
        let rights = ["SELECT", "INSERT", "UPDATE", "DELETE"].map { "has_table_privilege($1, '\($0)')::text" }
        let sql = "SELECT \(rights.joined(separator: ", ")), has_sequence_privilege($2, 'USAGE')::text"
        ask(sql, [.text(table), .text(tables.taskSequence.quoted("\""))]) { [self] cells in
            let names = ["SELECT", "INSERT", "UPDATE", "DELETE", "USAGE of its sequence"]
            let missing = zip(names, cells).filter { $0.1 != "true" }.map(\.0)
            let findings: [Finding] =
                missing.isEmpty
                ? []
                : [
                    .fail(
                        question.subject,
                        "\(address): we lack \(Finding.list(missing)) on the table \(tables.task.name)",
                        fix: "GRANT it to the user of the address")
                ]
            if missing.contains("SELECT") { end(findings) } else { askForRows(place, findings) }
        }
    }

    private func askForRows(_ place: String, _ before: [Finding]) {
        let sql = """
            SELECT count(*)::text, (count(*) FILTER (WHERE substring(result FROM 1 FOR 1) = '\\x80'::bytea))::text
            FROM (SELECT result FROM \(tables.task.quoted("\"")) WHERE result IS NOT NULL
            ORDER BY id DESC LIMIT \(Self.sample)) AS latest
            """
        ask(sql, []) { [self] cells in
            let numbers = cells.map { $0.flatMap { Int($0) } ?? 0 }
            guard numbers.count == 2 else { return end(before) }
            end(before + [RowsFound(all: numbers[0], pickles: numbers[1]).finding(question, place)])
        }
    }
}
