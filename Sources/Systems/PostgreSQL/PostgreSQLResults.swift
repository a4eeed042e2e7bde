// Results in PostgreSQL: the store for all databases, over a link of its own.
public import Ports
public import SQLRows

extension DatabaseResults where Format == RowFormat {
    public convenience init(address: PostgreSQLAddress, loop: any EventLoop, options: ResultOptions) {
        self.init(
            description: address.description, loop: loop, format: RowFormat(options),
            expiresSeconds: options.chordsExpireSeconds
        ) { tell in
            PostgreSQLResultLink(address, loop, ResultTables(options), tell)
        }
    }
}

/// What is to be done, as statements over libpq's pipeline: a transaction for each work.
private final class PostgreSQLResultLink: ResultLink {
    private let address: PostgreSQLAddress
    private let schema: PostgreSQLSchema
    private let link: PostgreSQLLink

    init(
        _ address: PostgreSQLAddress, _ loop: any EventLoop, _ tables: ResultTables,
        _ tell: @escaping (LinkEvent) -> Void
    ) {
        self.address = address
        let schema = PostgreSQLSchema(tables)
        self.schema = schema
        link = PostgreSQLLink(
            address: address, loop: loop, prepare: { link, done in schema.prepare(link, done: done) }, tell: tell)
    }

    var isUp: Bool { link.isUp }
    /// The server takes up to 1 GiB; more than the queue ever gives.
    var maxBytes: Int { 1 << 30 }

    func connect() { link.connect() }
    func drop(_ reason: String) { link.drop(reason) }
    func close() { link.close() }

    func perform(_ works: [ResultWork<TaskRow>], done: @escaping (Int, WorkAnswer<TaskRow>) -> Void) {
        let statements = ResultStatements(tables: schema.tables, columns: schema.columns)
        var sent: [(work: Int, isLast: Bool)] = []
        var all: [Statement] = []
        for (index, work) in works.enumerated() {
            let own = statements.statements(for: work)
            all += own
            sent += own.indices.map { (index, $0 == own.count - 1) }
        }
        link.send(all) { [address] index, answer in
            guard sent[index].isLast else { return }
            let work = sent[index].work
            switch answer {
            case .lost: done(work, .lost)
            case .failed(let error): done(work, .failed(SQLErrorKind(error, at: address)))
            case .rows(let rows): done(work, ResultStatements.answer(rows, to: works[work]))
            }
        }
    }
}
