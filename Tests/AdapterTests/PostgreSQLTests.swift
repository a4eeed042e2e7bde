// What the store in PostgreSQL does beyond the sentences for all stores: its tables, its neighbours, and when it is unwell.
import Foundation
import Loop
import Ports
import PostgreSQL
import SQLRows
import TaskModel
import TestKit
import Testing

@Suite("PostgreSQL results", .serialized)
struct PostgreSQLTests {
    private let loop: EpollLoop
    private let schema = "s" + UUID().uuidString.lowercased().filter { $0 != "-" }
    private let url: String

    init() throws {
        loop = try EpollLoop()
        url = try Servers.postgresql()
        try sql("CREATE SCHEMA \(schema)")
    }

    @discardableResult
    private func sql(_ text: String) throws -> String {
        let client = Process()
        let pipe = Pipe()
        client.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        client.arguments = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", url, "-c", text]
        client.standardOutput = pipe
        client.standardError = pipe
        try client.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        client.waitUntilExit()
        guard client.terminationStatus == 0 else { throw TooLate(what: output) }
        return output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func fresh(_ address: String? = nil, _ change: (inout ResultOptions) -> Void = { _ in }) throws
        -> StoreClient
    {
        var options = ResultOptions()
        options.taskTable = "\(schema).celery_taskmeta"
        options.groupTable = "\(schema).celery_tasksetmeta"
        change(&options)
        let store = SQLResults(
            address: try PostgreSQLAddress(url: address ?? url), loop: loop, options: options)
        return StoreClient(store, nil, loop)
    }

    private func client(_ address: String? = nil) throws -> StoreClient {
        let client = try fresh(address)
        client.connect()
        try client.wait("the store") { client.isUp }
        return client
    }

    @Test("several that make the tables at the same moment all get them, as Celery makes them")
    func makesTables() throws {
        let clients = try (0..<4).map { _ in try fresh() }
        for one in clients { one.connect() }
        for one in clients { try one.wait("the tables") { one.isUp } }
        let columns = try sql(
            """
            SELECT string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position)
            FROM information_schema.columns WHERE table_schema = '\(schema)' AND table_name = 'celery_taskmeta'
            """)
        #expect(
            columns == "id integer, task_id character varying, status character varying, result bytea, "
                + "date_done timestamp without time zone, traceback text, children bytea, name character varying, "
                + "args bytea, kwargs bytea, worker character varying, retries integer, queue character varying, "
                + "stamps bytea")
        for one in clients { try one.close() }
    }

    @Test("a table of Celery 5.6 gets the columns it lacks, and does without them where we may not add any")
    func oldTables() throws {
        let name = "\(schema).celery_taskmeta"
        try sql(
            """
            CREATE SEQUENCE \(schema).task_id_sequence; CREATE TABLE \(name) (id INTEGER PRIMARY KEY,
            task_id VARCHAR(155) UNIQUE, status VARCHAR(50), result BYTEA, date_done TIMESTAMP, traceback TEXT);
            CREATE TABLE \(schema).celery_tasksetmeta (id INTEGER PRIMARY KEY, taskset_id VARCHAR(155) UNIQUE,
            result BYTEA, date_done TIMESTAMP);
            CREATE ROLE \(schema) LOGIN; GRANT USAGE ON SCHEMA \(schema) TO \(schema);
            GRANT ALL ON ALL TABLES IN SCHEMA \(schema) TO \(schema);
            GRANT USAGE ON ALL SEQUENCES IN SCHEMA \(schema) TO \(schema)
            """)
        let poor = try client(url.replacingOccurrences(of: "postgres@", with: "\(schema)@"))
        try poor.put("a", .success, "1")
        #expect(try poor.get("a") == meta(.success, "1"))
        try poor.close()
        let owner = try client()
        #expect(
            try sql(
                "SELECT count(*) FROM pg_attribute WHERE attrelid = '\(name)'::regclass AND attname IN "
                    + "('children', 'stamps', 'queue')") == "3")
        try owner.close()
    }

    @Test("a record that the server never takes fails alone, and those it went with are kept")
    func oneUnfit() throws {
        let client = try client()
        try sql("ALTER TABLE \(schema).celery_taskmeta ADD CHECK (task_id <> 'bad')")
        var outcomes: [String: StoreFailure?] = [:]
        let ids = (0..<40).map { $0 == 17 ? "bad" : "good-\($0)" }
        for id in ids { client.store.store(client.record(id, .success, "1")) { outcomes[id] = .some($0) } }
        try client.wait("all outcomes") { outcomes.count == ids.count }
        #expect(outcomes.filter { $0.value != nil }.map(\.key) == ["bad"])
        #expect(outcomes["bad"].flatMap { $0 }?.code == .unfit)
        #expect(try sql("SELECT count(*) FROM \(schema).celery_taskmeta") == "39")
        try client.close()
    }

    @Test("many results are one transaction")
    func batches() throws {
        let client = try client()
        try client.put((0..<500).map { client.record("t\($0)", .success, "1") })
        let transactions = try #require(
            Int(
                try sql(
                    "SELECT count(DISTINCT xmin::text) FROM \(schema).celery_taskmeta")))
        #expect(transactions <= 5)
        try client.close()
    }

    @Test("connections that the server ends are made anew, and nothing is lost")
    func terminated() throws {
        let client = try client()
        var stored = 0
        for number in 0..<300 {
            client.store.store(client.record("t\(number)", .success, "1")) { if $0 == nil { stored += 1 } }
            if number % 100 == 50 {
                client.loop.runOnce(timeoutSeconds: 0.001)
                try sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'taskhost'")
            }
        }
        try client.wait("300 results") { stored == 300 }
        #expect(try sql("SELECT count(*) FROM \(schema).celery_taskmeta WHERE status = 'SUCCESS'") == "300")
        try client.close()
    }

    @Test("while the server takes no writes, results wait and the reason is told")
    func readOnly() throws {
        try sql("CREATE ROLE \(schema) LOGIN SUPERUSER")
        let client = try client(url.replacingOccurrences(of: "postgres@", with: "\(schema)@"))
        try client.put("before", .success, "1")
        try sql(
            "ALTER ROLE \(schema) SET default_transaction_read_only = on; "
                + "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '\(schema)'")
        var outcome: StoreFailure??
        client.store.store(client.record("during", .success, "2")) { outcome = .some($0) }
        try client.wait("the reason") { client.reasons.contains { $0.contains("takes no writes") } }
        #expect(outcome == nil)
        try sql("ALTER ROLE \(schema) RESET default_transaction_read_only")
        try client.wait("the store") { outcome != nil }
        #expect(try client.get("during") == meta(.success, "2"))
        try client.close()
    }

    @Test("a password that is wrong from the start is told at once, not shown, and blamed on no record")
    func wrongPassword() throws {
        try sql("DO $$ BEGIN CREATE ROLE secret LOGIN PASSWORD 'right'; EXCEPTION WHEN duplicate_object THEN END $$")
        let client = try fresh(url.replacingOccurrences(of: "postgres@", with: "secret:wr0ng@"))
        client.connect()
        let failure = #expect(throws: StoreFailure.self) { try client.put("x", .success, "1") }
        #expect(failure?.code == .refused)
        #expect(failure?.description.contains("wr0ng") == false)
        #expect(client.reasons.allSatisfy { !$0.contains("wr0ng") })
        try client.close()
    }

    @Test("over TLS, with the server's certificate checked")
    func overTLS() throws {
        let root = try Servers.certificate("ca.pem")
        let host = url.replacingOccurrences(of: "127.0.0.1", with: "localhost")
        let client = try client("db+\(host)?sslmode=verify-full&sslrootcert=\(root)")
        try client.put("x", .success, "1")
        #expect(
            try sql(
                "SELECT bool_or(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
                    + "WHERE application_name = 'taskhost'") == "t")
        try client.close()
        let other = try Servers.certificate("other-ca.pem")
        let distrusting = try fresh("\(host)?sslmode=verify-full&sslrootcert=\(other)")
        distrusting.connect()
        #expect(throws: StoreFailure.self) { try distrusting.put("y", .success, "1") }
        try distrusting.close()
    }

    @Test("of several hosts the one that is there is used")
    func severalHosts() throws {
        let port = try #require(url.split(separator: ":").last?.prefix { $0 != "/" })
        let client = try client("postgresql://postgres@/postgres?host=127.0.0.1:1&host=127.0.0.1:\(port)")
        try client.put("x", .success, "1")
        try client.close()
    }

    @Test("for clients of Celery 5.6 results are pickles, and only the readers are told otherwise")
    func forOldClients() throws {
        let client = try fresh { $0.readers = .celery56 }
        client.connect()
        try client.put("x", .success, "1")
        #expect(try sql("SELECT encode(result, 'hex') FROM \(schema).celery_taskmeta") == "80025801000000312e")
        #expect(throws: StoreFailure.self) { try client.get("x") }
        try client.close()
    }
}

@Suite("PostgreSQL addresses")
struct PostgreSQLAddressTests {
    @Test(
        "every spelling of Celery's and SQLAlchemy's names the same place",
        arguments: ["db+postgresql", "postgresql", "postgresql+psycopg2", "db+postgresql+psycopg", "postgres"])
    func spellings(scheme: String) throws {
        let address = try PostgreSQLAddress(url: "\(scheme)://me:s%40cret@db.example.org:5433/celery?sslmode=require")
        #expect(address.description == "postgresql://me@db.example.org:5433/celery")
        #expect(address.password == "s@cret")
        #expect(address.parameters.map(\.name) == ["sslmode"] && address.parameters.first?.value == "require")
    }

    @Test("several hosts are written as libpq or as SQLAlchemy has them")
    func hosts() throws {
        let both = [
            "postgresql://me@a:5433,b/celery", "postgresql://me@/celery?host=a:5433&host=b",
            "postgresql+psycopg2://me@/celery?host=a:5433,b",
        ]
        for text in both {
            #expect(try PostgreSQLAddress(url: text).description == "postgresql://me@a:5433,b/celery")
        }
        let socket = try PostgreSQLAddress(url: "postgresql:///celery?host=/run/postgresql")
        #expect(socket.description == "postgresql:///run/postgresql/celery")
    }

    @Test("what is no address is refused without showing its password")
    func refused() throws {
        for text in [
            "postgresql:celery", "mysql://a/b", "postgresql://me:s3cret@a:99999/b", "postgresql://me:s3cr%zz@a/b",
        ] {
            let failure = #expect(throws: StoreFailure.self) { try PostgreSQLAddress(url: text) }
            #expect(failure?.description.contains("s3cr") == false)
        }
    }
}
