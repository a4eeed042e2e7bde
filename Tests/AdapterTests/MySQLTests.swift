// What the store in MySQL does beyond the sentences for all stores: its tables, its neighbours, and when it is unwell.
import Foundation
import Glibc
import Loop
import MySQL
import Ports
import SQLRows
import TaskModel
import TestKit
import Testing

@Suite("MySQL results", .serialized)
struct MySQLTests {
    private let loop: EpollLoop
    /// A database of the test's own, and a user of the same name who may do everything there and nothing else.
    private let own = "s" + UUID().uuidString.lowercased().filter { $0 != "-" }.prefix(20)
    private let server: MySQLAddress

    init() throws {
        loop = try EpollLoop()
        server = try MySQLAddress(url: try Servers.mysql())
        try sql(
            """
            CREATE DATABASE \(own); CREATE USER \(own)@'%' IDENTIFIED BY 'right'; GRANT ALL ON \(own).* TO \(own)@'%'
            """)
    }

    @discardableResult
    private func sql(_ text: String) throws -> String {
        let client = Process()
        let pipe = Pipe()
        client.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        client.arguments = [
            "mariadb", "--no-defaults", "--batch", "--skip-column-names", "-h", "127.0.0.1", "-P",
            "\(server.host?.port ?? 0)", "-u", "tester", "-e", text,
        ]
        client.standardOutput = pipe
        client.standardError = pipe
        try client.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        client.waitUntilExit()
        guard client.terminationStatus == 0 else { throw TooLate(what: output) }
        return output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// - Parameter user: "name:password".
    private func url(_ user: String? = nil, host: String = "127.0.0.1", _ parameters: String = "") -> String {
        "mysql://\(user ?? "\(own):right")@\(host):\(server.host?.port ?? 0)/\(own)\(parameters)"
    }

    private func fresh(_ address: String? = nil, _ change: (inout ResultOptions) -> Void = { _ in }) throws
        -> StoreClient
    {
        var options = ResultOptions()
        change(&options)
        let store = SQLResults(address: try MySQLAddress(url: address ?? url()), loop: loop, options: options)
        return StoreClient(store, nil, loop)
    }

    private func client(_ address: String? = nil) throws -> StoreClient {
        let client = try fresh(address)
        client.connect()
        try client.wait("the store") { client.isUp }
        return client
    }

    /// As Celery 5.7.0 with SQLAlchemy 2.1 makes it on MariaDB 10.11, whose default character set is latin1 at Debian.
    private func makeTablesOfCelery() throws {
        try sql(
            """
            USE \(own); CREATE SEQUENCE task_id_sequence; CREATE SEQUENCE taskset_id_sequence;
            CREATE TABLE celery_taskmeta (id INTEGER NOT NULL, task_id VARCHAR(155), status VARCHAR(50), result BLOB,
            date_done DATETIME, traceback TEXT, children BLOB, name VARCHAR(155), args BLOB, kwargs BLOB,
            worker VARCHAR(155), retries INTEGER, queue VARCHAR(155), stamps BLOB, PRIMARY KEY (id), UNIQUE (task_id))
            CHARSET latin1;
            CREATE TABLE celery_tasksetmeta (id INTEGER NOT NULL, taskset_id VARCHAR(155), result BLOB,
            date_done DATETIME, PRIMARY KEY (id), UNIQUE (taskset_id)) CHARSET latin1
            """)
    }

    @Test("several that make the tables at the same moment all get them, as Celery makes them, with room in them")
    func makesTables() throws {
        let clients = try (0..<4).map { _ in try fresh() }
        for one in clients { one.connect() }
        for one in clients { try one.wait("the tables") { one.isUp } }
        let columns = try sql(
            """
            SELECT GROUP_CONCAT(column_name, ' ', data_type ORDER BY ordinal_position SEPARATOR ', ')
            FROM information_schema.columns WHERE table_schema = '\(own)' AND table_name = 'celery_taskmeta'
            """)
        #expect(
            columns == "id int, task_id varchar, status varchar, result longblob, date_done datetime, "
                + "traceback longtext, children longblob, name varchar, args longblob, kwargs longblob, worker varchar, "
                + "retries int, queue varchar, stamps longblob")
        for one in clients { try one.close() }
    }

    @Test("a table of Celery 5.6 gets the columns it lacks, and does without them where we may not add any")
    func oldTables() throws {
        try sql(
            """
            USE \(own); CREATE TABLE celery_taskmeta (id INTEGER AUTO_INCREMENT PRIMARY KEY, task_id VARCHAR(155) UNIQUE,
            status VARCHAR(50), result BLOB, date_done DATETIME, traceback TEXT);
            CREATE TABLE celery_tasksetmeta (id INTEGER AUTO_INCREMENT PRIMARY KEY, taskset_id VARCHAR(155) UNIQUE,
            result BLOB, date_done DATETIME);
            CREATE USER poor\(own)@'%'; GRANT SELECT, INSERT, UPDATE, DELETE ON \(own).* TO poor\(own)@'%'
            """)
        let poor = try client(url("poor\(own)"))
        try poor.put("a", .success, "1")
        #expect(try poor.get("a") == meta(.success, "1"))
        try poor.close()
        let owner = try client()
        #expect(
            try sql(
                """
                SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = '\(own)'
                AND table_name = 'celery_taskmeta' AND column_name IN ('children', 'stamps', 'queue')
                """) == "3")
        try owner.close()
    }

    @Test(
        "a result too long for Celery's column is refused, never cut off, with the statement that makes room",
        arguments: ["STRICT_TRANS_TABLES", ""])
    func tooLong(mode: String) throws {
        try makeTablesOfCelery()
        let usual = try sql("SELECT @@GLOBAL.sql_mode")
        try sql("SET GLOBAL sql_mode = '\(mode)'")
        defer { #expect(throws: Never.self) { try sql("SET GLOBAL sql_mode = '\(usual)'") } }
        let client = try client()
        let long = String(repeating: "x", count: 70_000)
        var outcomes: [String: StoreFailure?] = [:]
        let ids = (0..<40).map { $0 == 17 ? "long" : "good-\($0)" }
        for id in ids {
            client.store.store(client.record(id, .success, id == "long" ? long : "1")) { outcomes[id] = .some($0) }
        }
        try client.wait("all outcomes") { outcomes.count == ids.count }
        #expect(outcomes.filter { $0.value != nil }.map(\.key) == ["long"])
        let failure = try #require(outcomes["long"].flatMap { $0 })
        #expect(failure.isPermanent)
        let fix = try #require(failure.fix)
        #expect(fix == "ALTER TABLE `celery_taskmeta` MODIFY `result` LONGBLOB")
        #expect(try sql("SELECT COUNT(*) FROM \(own).celery_taskmeta") == "39")
        try sql("USE \(own); \(fix)")
        try client.put("long", .success, long)
        #expect(try client.get("long") == meta(.success, long))
        try client.close()
    }

    @Test("what people read is made to fit a table of another character set; what programs read is not")
    func latin() throws {
        try makeTablesOfCelery()
        let client = try client()
        let text = String(repeating: "→é", count: 40_000)
        let record =
            #"{"status": "FAILURE", "result": "→", "traceback": "\#(text)", "children": [], "date_done": null}"#
        try client.put([
            ResultRecord(
                taskID: "x", state: .failure, meta: [UInt8](record.utf8), replyTo: nil, correlationID: nil,
                expiresAfterSeconds: 60)
        ])
        #expect(try sql("SELECT LEFT(traceback, 2) = '?é', result FROM \(own).celery_taskmeta") == "1\t\"→\"")
        #expect(throws: StoreFailure.self) { try client.put("id-→", .success, "1") }
        // Nobody has such an id there, and others who are asked for at the same time are found.
        #expect(try client.get("id-→") == nil)
        var seen = 0
        let subscriptions = ["id-→", "x"].map { client.store.follow($0) { _ in seen += 1 } }
        try client.wait("the row") { seen == 1 }
        for subscription in subscriptions { subscription.cancel() }
        try client.close()
    }

    @Test("quotes, backslashes, zeros and percent signs are kept as they are")
    func escapes() throws {
        let client = try client()
        let texts = [#"'"#, #"\\"#, #"\\'; DROP TABLE celery_taskmeta; --"#, #"\u0000"#, #"%s %(x)s ? :a"#, "🙂"]
        for (number, text) in texts.enumerated() {
            try client.put("'\(number)\\", .success, text)
            #expect(try client.get("'\(number)\\") == meta(.success, text))
        }
        #expect(try sql("SELECT COUNT(*) FROM \(own).celery_taskmeta") == "\(texts.count)")
        try client.close()
    }

    @Test("many results are one statement")
    func batches() throws {
        let client = try client()
        // The same within one statement.
        try sql("ALTER TABLE \(own).celery_taskmeta ADD at DATETIME(6) DEFAULT NOW(6)")
        try client.put((0..<500).map { client.record("t\($0)", .success, "1") })
        let statements = try #require(Int(try sql("SELECT COUNT(DISTINCT at) FROM \(own).celery_taskmeta")))
        #expect(statements <= 5)
        try client.close()
    }

    @Test("a number that is taken already writes over nobody's row: the result waits and the reason is told")
    func takenNumbers() throws {
        let client = try client()
        try client.put("first", .failure, "1")
        try sql("UPDATE \(own).celery_taskmeta SET id = 5000; SELECT SETVAL(\(own).task_id_sequence, 4999)")
        let other = try self.client()
        var outcome: StoreFailure??
        other.store.store(other.record("second", .success, "2")) { outcome = .some($0) }
        try client.wait("the second") { outcome != nil || other.reasons.contains { $0.contains("no number") } }
        #expect(try client.get("first") == meta(.failure, "1"))
        try client.wait("the second") { outcome != nil }
        #expect(try client.get("second") == meta(.success, "2"))
        #expect(other.reasons.contains { $0.contains("no number") })
        try client.close()
        try other.close()
    }

    @Test("connections that the server ends are made anew, and nothing is lost")
    func terminated() throws {
        let client = try client()
        var stored = 0
        for number in 0..<300 {
            client.store.store(client.record("t\(number)", .success, "1")) { if $0 == nil { stored += 1 } }
            if number % 100 == 50 {
                client.loop.runOnce(timeoutSeconds: 0.001)
                try sql("KILL USER \(own)")
            }
        }
        try client.wait("300 results") { stored == 300 }
        #expect(try sql("SELECT COUNT(*) FROM \(own).celery_taskmeta WHERE status = 'SUCCESS'") == "300")
        // One that is idle is found gone, too.
        let before = client.reasons.count
        try sql("KILL USER \(own)")
        try client.wait("the loss") { client.reasons.count > before }
        try client.wait("the store") { client.isUp }
        try client.close()
    }

    @Test("while the server takes no writes, results wait and the reason is told")
    func readOnly() throws {
        let client = try client()
        try client.put("before", .success, "1")
        try sql("SET GLOBAL read_only = 1")
        defer { #expect(throws: Never.self) { try sql("SET GLOBAL read_only = 0") } }
        var outcome: StoreFailure??
        client.store.store(client.record("during", .success, "2")) { outcome = .some($0) }
        try client.wait("the reason") { client.reasons.contains { $0.contains("takes no writes") } }
        #expect(outcome == nil)
        try sql("SET GLOBAL read_only = 0")
        try client.wait("the store") { outcome != nil }
        #expect(try client.get("during") == meta(.success, "2"))
        try client.close()
    }

    @Test("without a free connection results wait and the reason is told")
    func tooMany() throws {
        try sql("ALTER USER \(own)@'%' WITH MAX_USER_CONNECTIONS 1")
        let first = try client()
        let second = try fresh()
        second.connect()
        var outcome: StoreFailure??
        second.store.store(second.record("x", .success, "1")) { outcome = .some($0) }
        try second.wait("the reason") { second.reasons.contains { $0.contains("max_user_connections") } }
        #expect(outcome == nil)
        try first.close()
        try second.wait("the store") { outcome != nil }
        #expect(try second.get("x") == meta(.success, "1"))
        try second.close()
    }

    @Test("a server that takes the connection and says nothing holds up neither the loop nor a close")
    func silent() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(listener) }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard bind(listener, address, length) == 0, listen(listener, 4) == 0 else { return UInt16(0) }
                getsockname(listener, address, &length)
                return UInt16(bigEndian: pointer.pointee.sin_port)
            }
        }
        let client = try fresh("mysql://127.0.0.1:\(port)/x")
        client.connect()
        var taken: Int32 = -1
        let coming = loop.watch(listener, for: .read) { _ in taken = accept(listener, nil, nil) }
        try client.wait("the connection") { taken >= 0 }
        coming.cancel()
        defer { Glibc.close(taken) }
        #expect(!client.isUp)
        try client.close()
        var byte: UInt8 = 0
        var isOver = false
        let end = loop.watch(taken, for: .read) { _ in
            isOver = recv(taken, &byte, 1, Int32(MSG_DONTWAIT)) == 0
        }
        try client.wait("the end of the connection") { isOver }
        end.cancel()
    }

    @Test("a password that is wrong from the start is told at once, not shown, and blamed on no record")
    func wrongPassword() throws {
        let client = try fresh(url("\(own):wr0ng"))
        client.connect()
        let failure = #expect(throws: StoreFailure.self) { try client.put("x", .success, "1") }
        #expect(failure?.code == .refused)
        #expect(failure?.description.contains("wr0ng") == false)
        #expect(client.reasons.allSatisfy { !$0.contains("wr0ng") })
        try client.close()
    }

    @Test("over TLS, with the server's certificate and its name checked")
    func overTLS() throws {
        let root = try Servers.certificate("ca.pem")
        try sql("ALTER USER \(own)@'%' REQUIRE SSL")
        let client = try client("db+" + url(host: "localhost", "?ssl_ca=\(root)&ssl_check_hostname=true"))
        try client.put("x", .success, "1")
        try client.close()
        let other = try Servers.certificate("other-ca.pem")
        let refused = [
            url(), url(host: "localhost", "?ssl_ca=\(other)"), url(host: "127.0.0.1", "?ssl_ca=\(root)"),
        ]
        for address in refused {
            let distrusting = try fresh(address)
            distrusting.connect()
            let failure = #expect(throws: StoreFailure.self) { try distrusting.put("y", .success, "1") }
            #expect(failure?.code == .refused)
            try distrusting.close()
        }
        let unchecked = try self.client(url(nil, "?ssl_mode=REQUIRED"))
        try unchecked.close()
        try sql("ALTER USER \(own)@'%' REQUIRE X509")
        let (certificate, key) = (try Servers.certificate("client.pem"), try Servers.certificate("client.key"))
        let known = try self.client(url(nil, "?ssl_cert=\(certificate)&ssl_key=\(key)"))
        try known.close()
    }

    @Test("over the server's Unix socket")
    func overSocket() throws {
        try sql("CREATE USER \(own)@localhost IDENTIFIED BY 'right'; GRANT ALL ON \(own).* TO \(own)@localhost")
        let client = try client("mysql+pymysql://\(own):right@/\(own)?unix_socket=\(try Servers.mysqlSocket())")
        try client.put("x", .success, "1")
        try client.close()
    }

    @Test("for clients of Celery 5.6 results are pickles, and only the readers are told otherwise")
    func forOldClients() throws {
        let client = try fresh { $0.readers = .celery56 }
        client.connect()
        try client.put("x", .success, "1")
        #expect(try sql("SELECT HEX(result) FROM \(own).celery_taskmeta") == "80025801000000312E")
        #expect(throws: StoreFailure.self) { try client.get("x") }
        try client.close()
    }
}

@Suite("MySQL addresses")
struct MySQLAddressTests {
    @Test(
        "every spelling of Celery's and SQLAlchemy's names the same place",
        arguments: ["db+mysql", "mysql", "mysql+mysqldb", "db+mysql+pymysql", "mariadb", "db+mariadb+pymysql"])
    func spellings(scheme: String) throws {
        let address = try MySQLAddress(url: "\(scheme)://me:s%40cret@db.example.org:3307/celery?charset=utf8mb4")
        #expect(address.description == "mysql://me@db.example.org:3307/celery")
        #expect(address.password == "s@cret" && address.tls.demand == .none)
    }

    @Test("TLS is asked for in the words of PyMySQL and of mysqlclient")
    func tls() throws {
        let pymysql = try MySQLAddress(url: "mysql+pymysql://h/d?ssl_ca=/ca&ssl_cert=/c&ssl_key=/k").tls
        #expect(pymysql.demand == .always && pymysql.verifies)
        #expect(pymysql.ca == "/ca" && pymysql.certificate == "/c" && pymysql.key == "/k")
        #expect(try MySQLAddress(url: "mysql://h/d?ssl_mode=VERIFY_IDENTITY").tls.verifies)
        #expect(try MySQLAddress(url: "mysql://h/d?ssl_mode=REQUIRED").tls.demand == .always)
        #expect(try MySQLAddress(url: "mysql://h/d?ssl=true").tls.verifies == false)
        #expect(try MySQLAddress(url: "mysql://h/d?ssl_mode=PREFERRED").tls.demand == .ifOffered)
    }

    @Test("what is no address is refused without showing its password")
    func refused() throws {
        for text in [
            "mysql:celery", "postgresql://a/b", "mysql://me:s3cret@a:99999/b", "mysql://me:s3cr%zz@a/b",
            "mysql://me:s3cret@a,b/c", "mysql://me:s3cret@a/b?ssl_mode=SOME", "mysql://me:s3cret@a/b?colour=red",
            "mysql://me:s3cret@a/b?ssl_ca=/ca&ssl_check_hostname=false",
        ] {
            let failure = #expect(throws: StoreFailure.self) { try MySQLAddress(url: text) }
            #expect(failure?.description.contains("s3cr") == false)
        }
    }
}
