// `taskhost.send`: tasks that are sent from SQL.
import Loop
import Ports
import TaskModel
import TaskhostJSON
import TestKit
import Testing

@testable import PostgreSQL

@Suite("taskhost.send in SQL", .serialized)
struct PostgreSQLSendTests {
    private let loop: EpollLoop
    private let database: PostgreSQLDatabase
    private let client: BrokerClient

    init() throws {
        loop = try EpollLoop()
        database = try PostgreSQLDatabase()
        client = try database.client(on: loop)
    }

    private func consume(_ queue: String = "celery", credit: Int = 10) {
        client.consume(QueueDeclaration(name: queue), credit: credit)
    }

    @Test("it returns the id, and the message is a Celery client's")
    func sends() throws {
        consume()
        let id = try database.sql("SELECT taskhost.send('tasks.add', '[4, 6.0]')")
        let delivery = try client.receive(1)[0]
        let headers = delivery.message.headers
        #expect(headers["task"] == .string("tasks.add") && headers["id"] == .string(id))
        #expect(headers["root_id"] == .string(id) && headers["parent_id"] == .null)
        #expect(headers["retries"] == .int(0) && headers["eta"] == .null && headers["expires"] == .null)
        #expect(headers["timelimit"] == .array([.null, .null]))
        #expect(headers["argsrepr"] == .string("[4, 6.0]"))
        #expect(delivery.message.properties.contentType == "application/json")
        #expect(delivery.message.properties.contentEncoding == "utf-8")
        #expect(delivery.message.properties.correlationID == id)
        #expect(!delivery.redelivered)
        let body = try JSON(parsing: delivery.text, limits: .trusted)
        #expect(
            body
                == (try JSON(
                    parsing: #"[[4, 6.0], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]"#,
                    limits: .trusted)))
        try client.close()
    }

    @Test("all of it can be named")
    func namedArguments() throws {
        consume("urgent")
        let id = try database.sql(
            """
            SELECT taskhost.send('tasks.greet', kwargs => '{"name": "grüße 🙂"}', queue => 'urgent', priority => 7,
            task_id => 'my-id', expires => '2100-01-02 03:04:05.25+02')
            """)
        #expect(id == "my-id")
        let message = try client.receive(1)[0].message
        #expect(message.headers["expires"] == .string("2100-01-02T01:04:05.250000+00:00"))
        #expect(message.properties.priority == 7)
        #expect(message.text.hasPrefix(#"[[], {"name": "grüße 🙂"}, "#))
        try client.close()
    }

    @Test("what is sent in a transaction that is rolled back is never delivered")
    func rolledBack() throws {
        consume()
        try database.sql(
            """
            BEGIN; SELECT taskhost.send('tasks.add', '[1, 1]'); ROLLBACK;
            BEGIN; SELECT taskhost.send('tasks.add', '[2, 2]'); SAVEPOINT one;
            SELECT taskhost.send('tasks.add', '[3, 3]'); ROLLBACK TO SAVEPOINT one; COMMIT;
            SELECT taskhost.send('tasks.add', '[4, 4]')
            """)
        try client.receive(2)
        try client.settle()
        #expect(client.deliveries.map { String($0.text.prefix(8)) } == ["[[2, 2],", "[[4, 4],"])
        #expect(try database.sql("SELECT count(*) FROM taskhost.message") == "2")
        try client.close()
    }

    @Test("with a countdown or an eta it comes at that time, and says so")
    func delayed() throws {
        consume()
        try database.sql("SELECT taskhost.send('tasks.add', '[1, 1]', countdown_s => 600)")
        try database.sql("SELECT taskhost.send('tasks.add', '[2, 2]', eta => clock_timestamp() + interval '1 second')")
        try database.sql("SELECT taskhost.send('tasks.add', '[3, 3]', eta => '2001-01-01 00:00:00+00')")
        try client.receive(2)
        #expect(client.deliveries.map { String($0.text.prefix(8)) } == ["[[3, 3],", "[[2, 2],"])
        #expect(client.deliveries[0].message.headers["eta"] == .string("2001-01-01T00:00:00.000000+00:00"))
        #expect(try database.sql("SELECT count(*) FROM taskhost.message WHERE state = 1") == "1")
        try client.close()
    }

    @Test("a user with nothing but EXECUTE may send, and one without may not")
    func rights() throws {
        let user = try database.role()
        try database.sql("GRANT USAGE ON SCHEMA taskhost TO \(user)")
        #expect(throws: PostgreSQLDatabase.Refused.self) {
            try database.sql("SELECT taskhost.send('tasks.add', '[1, 1]')", user: user)
        }
        try database.sql("GRANT EXECUTE ON FUNCTION taskhost.send TO \(user)")
        let id = try database.sql("SELECT taskhost.send('tasks.add', '[2, 2]')", user: user)
        #expect(throws: PostgreSQLDatabase.Refused.self) {
            try database.sql("SELECT count(*) FROM taskhost.message", user: user)
        }
        consume()
        #expect(try client.receive(1)[0].message.headers["id"] == .string(id))
        try database.sql("DROP OWNED BY \(user)")
        try client.close()
    }

    @Test(
        "what makes no task is refused by a sentence that names the fix, and sends nothing",
        arguments: [
            ("''", "the task has no name"), ("NULL", "the task has no name"), ("'t', '{}'", "args is no JSON array"),
            ("'t', NULL", "args is no JSON array"), ("'t', kwargs => '[]'", "kwargs is no JSON object"),
            ("'t', queue => ''", "name of the queue"), ("'t', priority => 256", "between 0 and 255"),
            ("'t', eta => now(), countdown_s => 1", "both eta and countdown_s"),
            ("'t', countdown_s => -1", "countdown_s is not between"),
            ("'t', countdown_s => 'NaN'", "countdown_s is not"),
            ("'t', eta => 'infinity'", "finite"), ("'t', expires => '-infinity'", "finite"),
        ])
    func refused(arguments: String, reason: String) throws {
        let failure = #expect(throws: PostgreSQLDatabase.Refused.self) {
            try database.sql("SELECT taskhost.send(\(arguments))")
        }
        #expect(failure?.description.contains(reason) == true)
        #expect(failure?.description.contains("HINT:") == true)
        #expect(try database.sql("SELECT count(*) FROM taskhost.message") == "0")
        try client.close()
    }
}
