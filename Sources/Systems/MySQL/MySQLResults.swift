// Results in MySQL and MariaDB: the store for all databases, over a link of its own.
public import Ports
public import SQLRows

extension DatabaseResults where Format == RowFormat {
    public convenience init(address: MySQLAddress, loop: any EventLoop, options: ResultOptions) {
        self.init(
            description: address.description, loop: loop, format: RowFormat(options),
            expiresSeconds: options.chordsExpireSeconds
        ) { tell in
            MySQLResultLink(address, loop, ResultTables(options), tell)
        }
    }
}

private final class MySQLResultLink: ResultLink {
    private let address: MySQLAddress
    private let schema: MySQLSchema
    private let link: MySQLLink

    init(_ address: MySQLAddress, _ loop: any EventLoop, _ tables: ResultTables, _ tell: @escaping (LinkEvent) -> Void)
    {
        self.address = address
        let schema = MySQLSchema(tables)
        self.schema = schema
        link = MySQLLink(
            address: address, loop: loop, prepare: { link, done in schema.prepare(link, done: done) },
            sort: { SQLErrorKind($0, at: address, tables) }, tell: tell)
    }

    var isUp: Bool { link.isUp }
    /// Escaped, a value is at most twice as long.
    var maxBytes: Int { max(1, (schema.maxBytes - 65_536) / 2) }

    func connect() { link.connect() }
    func drop(_ reason: String) { link.drop(reason) }
    func close() { link.close() }

    func perform(_ works: [ResultWork<TaskRow>], done: @escaping (Int, WorkAnswer<TaskRow>) -> Void) {
        let statements = MySQLStatements(tables: schema.tables, columns: schema.columns)
        for (index, work) in works.enumerated() {
            let own = statements.statements(for: work)
            if let long = own.first(where: { $0.count >= schema.maxBytes }) {
                // The server would end the connection. It may be one of several records: each is asked for alone then.
                done(index, .failed(.unfit(tooLong(long.count))))
                continue
            }
            for (place, statement) in own.enumerated() {
                link.ask(statement) { [self] answer in
                    guard place == own.count - 1 else { return }
                    switch answer {
                    case .success(let answer): done(index, MySQLStatements.answer(answer, to: work))
                    case .failure(let error) where error.endsConnection: done(index, .lost)
                    case .failure(let error):
                        done(index, .failed(SQLErrorKind(error, at: address, schema.tables)))
                    }
                }
            }
        }
    }

    private func tooLong(_ bytes: Int) -> StoreFailure {
        StoreFailure(
            "MySQL at \(address) does not take the record: its statement has \(bytes) bytes, and max_allowed_packet is "
                + "\(schema.maxBytes)", .unfit,
            fix: "SET GLOBAL max_allowed_packet to more, and in the server's configuration")
    }
}
