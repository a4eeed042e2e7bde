// What `taskhost doctor` looks at in MySQL and MariaDB: who lets us in, what lies in the tables, and whose rows they are.
import Ports
import SQLRows

/// Changes nothing there.
final class MySQLExamination {
    private let address: MySQLAddress
    private let question: ExaminationQuestion
    private let tables: ResultTables
    private let loop: any EventLoop
    private let look: DatabaseLook<MySQLLink>
    private var place = ""

    /// Rows that are looked at, from the last.
    private static let sample = 100

    init(_ address: MySQLAddress, _ question: ExaminationQuestion, _ loop: any EventLoop) {
        self.address = address
        self.question = question
        self.loop = loop
        tables = ResultTables(question.results)
        look = DatabaseLook(question, loop, server: "MySQL")
    }

    func run(done: @escaping ([Finding]) -> Void) {
        let link = MySQLLink(
            address: address, loop: loop, prepare: { _, done in done(nil) },
            sort: { [address, tables] in SQLErrorKind($0, at: address, tables) },
            tell: { [weak self] event in self?.look.changed(event) { self?.askForServer() } })
        look.begin(link, done: done)
    }

    /// - Parameter failed: nil: the error is the finding, and the last one.
    private func ask(
        _ sql: String, failed: ((MySQLError) -> Void)? = nil, _ answered: @escaping ([[[UInt8]?]]) -> Void
    ) {
        look.link?.ask(Array(sql.utf8)) { [weak self] answer in
            guard let self, !look.isOver else { return }
            switch answer {
            case .success(.rows(let rows)): answered(rows)
            case .success(.changed): answered([])
            case .failure(let error):
                guard let failed else { return look.fail("\(address): \(error.message) (\(error.code))", fix: nil) }
                failed(error)
            }
        }
    }

    private static func text(_ cell: [UInt8]?) -> String? { cell.map { String(decoding: $0, as: UTF8.self) } }

    private func askForServer() {
        ask("SELECT VERSION(), DATABASE()") { [self] rows in
            let cells = (rows.first ?? []).map(Self.text)
            let version = cells.first.flatMap { $0 } ?? "?"
            place = "\(version.contains("MariaDB") ? "MariaDB" : "MySQL") \(version) at \(address)"
            guard tables.task.schema != nil || cells.last.flatMap({ $0 }) != nil else {
                return look.fail("\(place) is named without a database", fix: "write mysql://host/DATABASE")
            }
            askForTable()
        }
    }

    private func askForTable() {
        ask(MySQLSchema.question(tables.task)) { [self] rows in
            let columns = MySQLColumns(rows.compactMap(MySQLSchema.column))
            guard !columns.isEmpty else {
                return look.end(.ok(question.subject, "\(place); its tables will be made, if its user may"))
            }
            if let result = columns["result"], let most = result.maxBytes, most <= 65_535 {
                look.add(
                    .warn(
                        question.subject,
                        "\(address): the column result of \(tables.task.name) is a \(result.type) of \(most) bytes; a longer "
                            + "result fails its task",
                        fix: "ALTER TABLE \(tables.task.quoted("`")) MODIFY `result` LONGBLOB"))
            }
            askForRights(["SELECT", "INSERT", "UPDATE", "DELETE"], missing: [])
        }
    }

    /// The server looks at rights, and whether it takes writes, before it finds that there is nothing to do.
    private func askForRights(_ rights: [String], missing: [String]) {
        guard let right = rights.first else {
            if !missing.isEmpty {
                look.add(
                    .fail(
                        question.subject,
                        "\(address): we lack \(Finding.list(missing)) on the table \(tables.task.name)",
                        fix: "GRANT it to the user of the address"))
            }
            return missing.contains("SELECT") ? look.end() : askForRows()
        }
        let table = tables.task.quoted("`")
        let sql =
            switch right {
            case "SELECT": "SELECT 1 FROM \(table) WHERE FALSE"
            case "INSERT": "INSERT INTO \(table) (`id`) SELECT 1 FROM DUAL WHERE FALSE"
            case "UPDATE": "UPDATE \(table) SET `status` = '' WHERE FALSE"
            default: "DELETE FROM \(table) WHERE FALSE"
            }
        ask(
            sql,
            failed: { [self] error in
                switch error.code {
                case 1142, 1143: askForRights(Array(rights.dropFirst()), missing: missing + [right])
                case 1290, 1792, 1836:
                    look.fail(
                        "\(place) takes no writes: it is a replica, or read-only (\(error.message))",
                        fix: "point the address at the primary")
                default: look.fail("\(address): \(error.message) (\(error.code))", fix: nil)
                }
            },
            { [self] _ in askForRights(Array(rights.dropFirst()), missing: missing) })
    }

    private func askForRows() {
        let sql = """
            SELECT COUNT(*), COALESCE(SUM(LEFT(`result`, 1) = x'80'), 0) FROM (SELECT `result` FROM \(tables.task.quoted("`"))
            WHERE `result` IS NOT NULL ORDER BY `id` DESC LIMIT \(Self.sample)) AS latest
            """
        ask(sql) { [self] rows in
            let numbers = (rows.first ?? []).map { Self.text($0).flatMap { Int($0) } ?? 0 }
            if numbers.count == 2 {
                look.add(RowsFound(all: numbers[0], pickles: numbers[1]).finding(question, place))
            }
            look.end()
        }
    }
}
