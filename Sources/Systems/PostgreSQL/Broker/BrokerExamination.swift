// What `taskhost doctor` looks at in PostgreSQL as broker: who lets us in, the schema, its rights, and a pooler between.
import Ports
import SQLRows
import TaskModel

/// Changes nothing there.
final class BrokerExamination {
    private let address: PostgreSQLAddress
    private let question: ExaminationQuestion
    private let loop: any EventLoop
    private let look: DatabaseLook<PostgreSQLLink>

    init(_ address: PostgreSQLAddress, _ question: ExaminationQuestion, _ loop: any EventLoop) {
        self.address = address
        self.question = question
        self.loop = loop
        look = DatabaseLook(question, loop, server: "PostgreSQL")
    }

    func run(done: @escaping ([Finding]) -> Void) {
        let link = PostgreSQLLink(
            address: address, loop: loop, prepare: { _, done in done(nil) },
            tell: { [weak self] event in self?.look.changed(event) { self?.askForServer() } })
        look.begin(link, done: done)
    }

    /// Answers the rows of each statement.
    private func ask(_ statements: [Statement], _ answered: @escaping ([Rows]) -> Void) {
        look.link?.transact(statements) { [weak self] answer in
            guard let self else { return }
            switch answer {
            case .done(let rows): answered(rows)
            case .failed(let error):
                let isForbidden = error.state == BrokerRights.state
                let failure = isForbidden ? BrokerRights.failure(address, error.message) : nil
                look.fail(failure?.detail ?? "\(address): \(error.message)", fix: failure?.fix)
            case .lost: look.fail("\(address) ended the connection", fix: "see its log")
            }
        }
    }

    private func askForServer() {
        let server = Statement(
            sql: """
                SELECT current_setting('server_version'), current_setting('server_version_num')::int4,
                current_setting('transaction_read_only'), to_regnamespace('taskhost') IS NOT NULL,
                has_database_privilege(current_database(), 'CREATE')
                """)
        ask([server]) { [self] rows in
            guard let row = rows[0].first, row.count == 5 else { return look.end() }
            let place = "PostgreSQL \(row.text(0) ?? "?") at \(address)"
            let version: Int32 = row.integer(1) ?? 0
            if version < BrokerExamination.oldest {
                return look.fail("\(place) is too old to be a broker", fix: "use PostgreSQL 13 or newer")
            }
            if row.text(2) == "on" {
                return look.fail(
                    "\(place) takes no writes: it is a standby, or read-only",
                    fix: "point the address at the primary, or name all servers: they are tried in turn")
            }
            if row[3] == [1] { return askForLayout(place) }
            look.end(
                row[4] == [1]
                    ? .ok(question.subject, "\(place); its schema taskhost will be made")
                    : .fail(
                        question.subject, "\(place) has no schema taskhost, and we may not make it",
                        fix: BrokerRights.failure(address, "").fix))
        }
    }

    /// `gen_random_uuid` of its own.
    private static let oldest: Int32 = 130_000

    private func askForLayout(_ place: String) {
        ask([Statement(sql: "SELECT to_regclass('taskhost.layout') IS NOT NULL")]) { [self] rows in
            guard rows[0].first?[0] == [1] else {
                return look.end(.ok(question.subject, "\(place); its tables will be made in the schema taskhost"))
            }
            let layout = Statement(sql: "SELECT max(version)::int4 FROM taskhost.layout")
            ask([layout, Statement(sql: BrokerRights.missing)]) { [self] rows in
                let version: Int32 = rows[0].first?.integer(0) ?? 0
                guard version <= BrokerSchema.version else {
                    return look.fail(
                        "the schema taskhost at \(address) has layout \(version), this taskhost knows up to"
                            + " \(BrokerSchema.version)",
                        fix: "use the newer taskhost that made it, or another database")
                }
                if let lacking = rows[1].first?.text(0), !lacking.isEmpty {
                    let failure = BrokerRights.failure(address, "it lacks \(lacking)")
                    return look.fail(failure.detail, fix: failure.fix)
                }
                askForConnection(place)
            }
        }
    }

    /// A pooler makes up the number of a server's process; who has another one than that is behind it. In transaction
    /// mode the next transaction is another session's, which has no LISTEN.
    private func askForConnection(_ place: String) {
        ask([Statement(sql: "SELECT pg_backend_pid()")]) { [self] rows in
            let process: Int32? = rows[0].first?.integer(0)
            look.end(
                process == look.link?.serverProcess
                    ? .ok(question.subject, place)
                    : .warn(
                        question.subject,
                        "\(place) stands behind a pooler: in transaction mode workers hear of nothing that is sent",
                        fix: "name the server itself, or a pool in session mode"))
        }
    }
}
