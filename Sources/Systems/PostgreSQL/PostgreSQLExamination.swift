// What `taskhost doctor` looks at in PostgreSQL: who lets us in, what lies in the tables, and whose rows they are.
import Ports
import SQLRows

/// Changes nothing there.
final class PostgreSQLExamination {
    private let address: PostgreSQLAddress
    private let question: ExaminationQuestion
    private let tables: ResultTables
    private let loop: any EventLoop
    private let look: DatabaseLook<PostgreSQLLink>

    /// Rows that are looked at, from the last.
    private static let sample = 100

    init(_ address: PostgreSQLAddress, _ question: ExaminationQuestion, _ loop: any EventLoop) {
        self.address = address
        self.question = question
        self.loop = loop
        tables = ResultTables(question.results)
        look = DatabaseLook(question, loop, server: "PostgreSQL")
    }

    func run(done: @escaping ([Finding]) -> Void) {
        let link = PostgreSQLLink(
            address: address, loop: loop, prepare: { _, done in done(nil) },
            tell: { [weak self] event in self?.look.changed(event) { self?.askForServer() } })
        look.begin(link, done: done)
    }

    /// Answers one row of texts.
    private func ask(_ sql: String, _ parameters: [Parameter], _ answered: @escaping ([String?]) -> Void) {
        look.link?.send([Statement(sql: sql, parameters: parameters)]) { [weak self] _, answer in
            guard let self else { return }
            switch answer {
            case .rows(let rows):
                answered((rows.first ?? []).map { $0.map { String(decoding: $0, as: UTF8.self) } })
            case .failed(let error): look.fail("\(address): \(error.message)", fix: nil)
            case .lost: look.fail("\(address) ended the connection", fix: "see its log")
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
            guard cells.count == 4 else { return look.end() }
            let place = "PostgreSQL \(cells[0] ?? "?") at \(address)"
            if cells[1] == "on" {
                return look.fail(
                    "\(place) takes no writes: it is a standby, or read-only",
                    fix: "point the address at the primary, or name all servers: they are tried in turn")
            }
            if cells[2] == "true" { return askForRights(place) }
            look.end(
                cells[3] == "true"
                    ? .ok(question.subject, "\(place); its tables will be made")
                    : .fail(
                        question.subject, "\(place) has no table \(tables.task.name), and we may not make it",
                        fix: "GRANT CREATE on the schema, or let Celery make its tables"))
        }
    }

    private func askForRights(_ place: String) {
        let table = tables.task.quoted("\"")
        let rights = ["SELECT", "INSERT", "UPDATE", "DELETE"].map { "has_table_privilege($1, '\($0)')::text" }
        let sql = "SELECT \(rights.joined(separator: ", ")), has_sequence_privilege($2, 'USAGE')::text"
        ask(sql, [.text(table), .text(tables.taskSequence.quoted("\""))]) { [self] cells in
            let names = ["SELECT", "INSERT", "UPDATE", "DELETE", "USAGE of its sequence"]
            let missing = zip(names, cells).filter { $0.1 != "true" }.map(\.0)
            if !missing.isEmpty {
                look.add(
                    .fail(
                        question.subject,
                        "\(address): we lack \(Finding.list(missing)) on the table \(tables.task.name)",
                        fix: "GRANT it to the user of the address"))
            }
            if missing.contains("SELECT") { look.end() } else { askForRows(place) }
        }
    }

    private func askForRows(_ place: String) {
        let sql = """
            SELECT count(*)::text, (count(*) FILTER (WHERE substring(result FROM 1 FOR 1) = '\\x80'::bytea))::text
            FROM (SELECT result FROM \(tables.task.quoted("\"")) WHERE result IS NOT NULL
            ORDER BY id DESC LIMIT \(Self.sample)) AS latest
            """
        ask(sql, []) { [self] cells in
            let numbers = cells.map { $0.flatMap { Int($0) } ?? 0 }
            guard numbers.count == 2 else { return look.end() }
            look.end(RowsFound(all: numbers[0], pickles: numbers[1]).finding(question, place))
        }
    }
}
