// What the broker in PostgreSQL does beyond the sentences for all brokers: its schema, and connections that are lost.
import Foundation
import Loop
import Ports
import TaskModel
import TestKit
import Testing

@testable import PostgreSQL

@Suite("PostgreSQL as broker", .serialized)
struct PostgreSQLBrokerTests {
    private let loop: EpollLoop
    private let database: PostgreSQLDatabase
    private let queue = QueueDeclaration(name: "work")

    init() throws {
        loop = try EpollLoop()
        database = try PostgreSQLDatabase()
    }

    @Test("several that make the schema at the same moment all get it")
    func makesSchema() throws {
        let clients = try (0..<4).map { _ in try database.fresh(on: loop) }
        for one in clients { one.broker.connect(events: one) }
        for one in clients { try one.wait("the link") { one.isUp } }
        #expect(clients.allSatisfy { $0.losses == 0 && $0.failures.isEmpty })
        #expect(try database.sql("SELECT version FROM taskhost.layout") == "\(BrokerSchema.version)")
        for one in clients { try one.close() }
    }

    @Test("a newer layout is refused, with both numbers and what to do")
    func newerLayout() throws {
        try database.client(on: loop).close()
        try database.sql("UPDATE taskhost.layout SET version = 77")
        let client = try database.fresh(on: loop)
        client.broker.connect(events: client)
        try client.wait("the refusal") { !client.failures.isEmpty }
        #expect(client.failures[0].detail.contains("layout 77"))
        #expect(client.failures[0].fix?.contains("newer taskhost") == true)
        #expect(!client.isUp)
        try client.close()
    }

    @Test("a user without rights is told which to grant, and works with them")
    func rights() throws {
        let user = try database.role()
        let poor = try database.fresh(user: user, on: loop)
        poor.broker.connect(events: poor)
        try poor.wait("the refusal") { !poor.failures.isEmpty }
        #expect(poor.failures[0].fix?.contains("GRANT CREATE ON DATABASE \(database.name) TO \"\(user)\"") == true)
        try poor.close()

        try database.client(on: loop).close()
        try database.sql(
            "GRANT USAGE ON SCHEMA taskhost TO \(user); GRANT SELECT ON ALL TABLES IN SCHEMA taskhost TO \(user)")
        let reader = try database.fresh(user: user, on: loop)
        reader.broker.connect(events: reader)
        try reader.wait("the refusal") { !reader.failures.isEmpty }
        #expect(reader.failures[0].detail.contains("INSERT on taskhost.message"))
        try reader.close()

        try database.sql("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA taskhost TO \(user)")
        let client = try database.client(user: user, on: loop)
        try client.publish(["a"], to: queue)
        client.consume(queue, credit: 1)
        client.broker.acknowledge(try client.receive(1)[0].tag)
        try client.close()
        #expect(try database.sql("SELECT count(*) FROM taskhost.message") == "0")
    }

    @Test("what is held when the server ends our connections stays held, and can be settled")
    func terminated() throws {
        let (client, other) = (try database.client(on: loop), try database.client(on: loop))
        try client.publish((0..<10).map(String.init), to: queue)
        client.consume(queue, credit: 10)
        try client.receive(10)
        other.consume(queue, credit: 10)
        try database.terminate()
        try client.wait("the news") { client.blockedReasons.contains { $0 != nil } }
        // Settled while there is no connection: the next one has to know of it first.
        for delivery in client.deliveries.prefix(9) { client.broker.acknowledge(delivery.tag) }
        client.broker.reject(client.deliveries[9].tag, requeue: true)
        try client.wait("all to be settled") { client.deliveries.count + other.deliveries.count >= 11 }
        #expect(client.deliveries.count + other.deliveries.count == 11)
        #expect((client.deliveries + other.deliveries).last?.text == "9")
        try client.wait("the end of it") { client.blockedReasons.last == .some(nil) }
        #expect(client.losses == 0)
        try client.close()
        try other.close()
        #expect(try database.sql("SELECT string_agg(convert_from(body, 'UTF8'), ' ') FROM taskhost.message") == "9")
    }

    @Test("each message is delivered once, however often the server ends connections and cancels statements")
    func oftenTerminated() throws {
        let count = 400
        let clients = try (0..<2).map { _ in try database.client(on: loop) }
        try clients[0].publish((0..<count).map(String.init), to: queue)
        for client in clients {
            client.onDelivery = { [unowned client] in client.broker.acknowledge($0.tag) }
            client.consume(queue, credit: 7)
        }
        func delivered() -> Int { clients.reduce(0) { $0 + $1.deliveries.count } }
        for round in 1...6 {
            try clients[0].wait("some more") { delivered() >= min(count, round * 40) }
            if round % 2 == 0 {
                try database.terminate()
            } else {
                try database.sql(
                    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                        + " AND pid <> pg_backend_pid()")
            }
        }
        try clients[0].wait("all", seconds: 60) { delivered() >= count }
        for client in clients { try client.close() }
        let texts = clients.flatMap { $0.deliveries.map(\.text) }
        #expect(texts.sorted() == (0..<count).map(String.init).sorted())
        #expect(try database.sql("SELECT count(*) FROM taskhost.message") == "0")
    }

    @Test("what was taken by an answer that never came is given out again")
    func lostAnswer() throws {
        let client = try database.client(on: loop)
        client.consume(queue, credit: 5)
        try client.publish(["first"], to: queue)
        client.broker.acknowledge(try client.receive(1)[0].tag)
        try client.settle()
        // As it would be left behind: held in our name, and we have never heard of it.
        try database.sql(
            """
            INSERT INTO taskhost.message(queue, state, host, deliveries, properties, headers, body)
            SELECT 'work', 2, id, 1, '{}', '{}', 'lost' FROM taskhost.host
            """)
        try database.terminate()
        let again = try client.receive(2)[1]
        #expect(again.text == "lost")
        #expect(again.redelivered)
        try client.close()
    }

    @Test("a statement of a session that is over takes nothing and gives nothing back")
    func lateStatement() throws {
        let client = try database.client(on: loop)
        try client.publish(["held", "waits"], to: queue)
        client.consume(queue, credit: 1)
        try client.receive(1)
        let host = try #require(Int64(try database.sql("SELECT id FROM taskhost.host")))
        let held = try #require(Int64(try database.sql("SELECT id FROM taskhost.message WHERE state = 2")))
        let late = HostSession(host: host, session: 0)
        let line = try database.line(on: loop)
        let user = line.open { _ in }
        var taken: Rows?
        line.ask([ConsumerStatements.requeue([held], late), ConsumerStatements.take(late, 5, from: queue.name)]) {
            if case .success(let rows) = $0 { taken = rows[1] }
        }
        try client.wait("the answer") { taken != nil }
        #expect(taken?.isEmpty == true)
        #expect(try database.sql("SELECT string_agg(state::text, ' ' ORDER BY id) FROM taskhost.message") == "2 0")
        line.close(user)
        try client.close()
    }

    @Test("while the server takes no writes the reason is told, and messages wait")
    func readOnly() throws {
        let user = try database.role()
        try database.sql("GRANT CREATE ON DATABASE \(database.name) TO \(user)")
        let client = try database.client(user: user, on: loop)
        client.consume(queue, credit: 5)
        try client.publish(["before"], to: queue)
        try client.receive(1)
        try database.sql("ALTER ROLE \(user) SET default_transaction_read_only = on")
        try database.terminate()
        var outcome: BrokerFailure??
        client.broker.publish(Publication(destination: .queue(queue), message: .text("during"))) { outcome = .some($0) }
        try client.wait("the reason") { client.blockedReasons.contains { $0?.contains("takes no writes") == true } }
        #expect(outcome == nil)
        try database.sql("ALTER ROLE \(user) RESET default_transaction_read_only")
        try database.terminate()
        try client.receive(2, seconds: 30)
        #expect(client.deliveries.map(\.text) == ["before", "during"])
        #expect(client.losses == 0)
        try client.close()
        try database.sql("DROP OWNED BY \(user)")
    }

    @Test("messages that are held by a host whose row is gone go back")
    func strayMessages() throws {
        try database.client(on: loop).close()
        try database.sql(
            """
            INSERT INTO taskhost.message(queue, state, host, properties, headers, body)
            VALUES ('work', 2, 42, '{}', '{}', 'stray')
            """)
        var times = HostTimes()
        times.renewal = 0.2
        let client = try database.client(times, on: loop)
        client.consume(queue, credit: 1)
        #expect(try client.receive(1)[0].text == "stray")
        try client.close()
    }

    @Test("a row that somebody spoiled is delivered marked, and those after it as usual")
    func oddRow() throws {
        try database.client(on: loop).close()
        try database.sql(
            """
            INSERT INTO taskhost.message(queue, state, properties, headers, body)
            VALUES ('work', 0, '{}', 'no JSON', ''), ('work', 0, '{}', '{}', 'good')
            """)
        let client = try database.client(on: loop)
        client.consume(queue, credit: 2)
        try client.receive(2)
        #expect(client.deliveries[0].message.headers[OwnHeaders.adapterError] != nil)
        #expect(client.deliveries[1].text == "good")
        try client.close()
    }

    @Test("what the table cannot hold is refused for good, and what it went with is sent")
    func unfit() throws {
        let client = try database.client(on: loop)
        var failures: [String: BrokerFailure?] = [:]
        for name in ["a", String(repeating: "x", count: 2_000), "zero\0byte", "b"] {
            client.broker.publish(Publication(destination: .queue(QueueDeclaration(name: name)), message: .text(name)))
            {
                failures[name] = .some($0)
            }
        }
        try client.wait("all outcomes") { failures.count == 4 }
        #expect(failures.values.compactMap { $0 }.allSatisfy { $0.isPermanent && $0.fix != nil })
        #expect(try database.sql("SELECT string_agg(queue, ' ' ORDER BY id) FROM taskhost.message") == "a b")
        try client.close()
    }

    @Test("messages are taken by the index of what is ready, in its order, though the statistics know of none")
    func plan() throws {
        try database.client(on: loop).close()
        try database.sql(
            """
            ALTER TABLE taskhost.message SET (autovacuum_enabled = off); ANALYZE taskhost.message;
            INSERT INTO taskhost.message(queue, state, properties, headers, body)
            SELECT 'work', 0, '{}', '{}', '' FROM generate_series(1, 20000)
            """)
        let line = try database.line(on: loop)
        let user = line.open { _ in }
        var explained = ConsumerStatements.take(HostSession(host: 1, session: 1), 64, from: queue.name)
        explained.sql = "EXPLAIN " + explained.sql
        var plan: [String]?
        line.ask([ConsumerStatements.plans, explained]) { answer in
            if case .success(let rows) = answer { plan = rows[1].map { $0.text(0) ?? "" } }
        }
        guard loop.run(until: { plan != nil }, timeoutSeconds: 15) else { throw TooLate(what: "the plan") }
        let text = (plan ?? []).joined(separator: "\n")
        #expect(text.contains("Index Scan using message_ready"))
        #expect(text.contains("Index Scan using message_pkey"))
        // Sorted are the few that were taken, once. Nothing is compiled for it.
        #expect(text.components(separatedBy: "Sort Key").count == 2)
        #expect(!text.contains("JIT"))
        line.close(user)
    }

    @Test("of several hosts the one that has served a queue longest tells of its delayed messages")
    func scheduledByOne() throws {
        let (first, second, stranger) = (
            try database.client(on: loop), try database.client(on: loop), try database.client(on: loop)
        )
        let other = QueueDeclaration(name: "other")
        for (number, (client, own)) in [(stranger, other), (first, queue), (second, queue)].enumerated() {
            client.consume(own, credit: 0)
            // They become hosts in this order.
            try client.wait("it to be a host", seconds: 60) {
                (try? database.sql("SELECT count(*) FROM taskhost.host")) == "\(number + 1)"
            }
        }
        try first.publish([Publication(destination: .queue(queue), message: .text("later"), delaySeconds: 600)])
        let counts = try [first, second, stranger].map { client in
            var found: ScheduledMessages?
            client.broker.scheduled(ScheduledQuestion(asker: .host, queues: [queue.name])) {
                if case .success(let answer) = $0 { found = answer }
            }
            try client.wait("the answer") { found != nil }
            return found?.counts[queue.name] ?? -1
        }
        #expect(counts == [1, 0, 0])
        for client in [first, second, stranger] { try client.close() }
    }

    @Test("doctor tells a schema that will be made, one that is there, and what is not allowed")
    func examined() throws {
        let user = try database.role()
        func findings(_ user: String) throws -> [Finding] {
            let transport = try PostgreSQLTransport([database.url(user: user)], on: loop, options: TransportOptions()) {
                _, _ in
            }
            let tools = ExaminationTools(
                fetch: { _ in ExaminationTools.HTTPAnswer(status: -1, body: [], date: -1, error: "") }, command: nil,
                databaseFile: { .ok($1, $0) }, now: { 0 })
            var found: [Finding]?
            transport.examine(ExaminationQuestion(.broker, tools: tools)) { found = $0 }
            guard loop.run(until: { found != nil }, timeoutSeconds: 15) else { throw TooLate(what: "findings") }
            return found ?? []
        }
        #expect(try findings("postgres").map(\.level) == [.ok])
        #expect(try findings(user).first?.fix?.contains("GRANT CREATE") == true)
        #expect(try database.sql("SELECT to_regnamespace('taskhost') IS NULL") == "t")
        try database.client(on: loop).close()
        #expect(try findings("postgres").map(\.level) == [.ok])
        #expect(try findings(user).first?.fix?.contains("GRANT USAGE ON SCHEMA taskhost") == true)
        try database.sql("UPDATE taskhost.layout SET version = 77")
        #expect(try findings("postgres").first?.detail.contains("layout 77") == true)
    }
}
