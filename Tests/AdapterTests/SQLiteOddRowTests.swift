// Rows that no taskhost wrote: refused one by one. And the layout of new files, of older ones, and their clocks.
import Foundation
import Loop
import Ports
import TaskModel
import TestKit
import Testing

@testable import SQLite

@Suite("Odd rows in the embedded broker's file", .serialized)
struct SQLiteOddRowTests {
    private let folder: TemporaryFolder
    private let loop: EpollLoop
    private let queue = QueueDeclaration(name: "work")
    private var path: String { folder.path + "/taskhost.db" }

    init() throws {
        folder = try TemporaryFolder()
        loop = try EpollLoop()
    }

    /// As a taskhost before layout 3 left it: its tables take anything.
    private func olderFile(_ statements: String...) throws {
        let database = try Database(path: path)
        for step in Schema.steps.prefix(2) { try database.script(step) }
        try database.script("PRAGMA application_id = \(Schema.applicationID)")
        try database.script("PRAGMA user_version = 2")
        for statement in statements { try database.script(statement) }
        try database.close()
    }

    private func open() throws -> BrokerClient {
        let client = BrokerClient(
            SQLiteBroker(file: SQLiteFile(address: SQLiteAddress(path: path), loop: loop)), loop)
        client.broker.connect(events: client)
        try client.wait("the link") { client.isUp || !client.failures.isEmpty }
        return client
    }

    private static let message = """
        INSERT INTO message(queue, state, priority, visible_at, deliveries, properties, headers, body)
        VALUES ('work', %STATE, 0, %VISIBLE, %DELIVERIES, %PROPERTIES, %HEADERS, %BODY)
        """

    private static func row(_ odd: [String: String]) -> String {
        var sql = message
        let usual = [
            "STATE": "0", "VISIBLE": "0", "DELIVERIES": "0", "PROPERTIES": "'{}'", "HEADERS": "'{}'", "BODY": "x'41'",
        ]
        for (name, value) in usual.merging(odd, uniquingKeysWith: { $1 }) {
            sql = sql.replacingOccurrences(of: "%\(name)", with: value)
        }
        return sql
    }

    @Test(
        "a message row that cannot be read is handed out to be refused, and the next one as usual",
        arguments: [
            ["DELIVERIES": "'many'"], ["PROPERTIES": "17"], ["PROPERTIES": "x'ff00'"], ["HEADERS": "x'ff'"],
            ["HEADERS": "3.5"], ["BODY": "17"],
        ])
    func messages(odd: [String: String]) throws {
        try olderFile(Self.row(odd), Self.row([:]))
        let client = try open()
        client.consume(queue, credit: 2)
        let found = try client.receive(2)
        let refusals = found.map { $0.message.headers["taskhost-wire-error"]?.text }
        // A number has a text, so it may pass for one.
        #expect(refusals[0] != nil, "\(odd)")
        #expect(refusals[1] == nil && found[1].text == "A")
        for delivery in found { client.broker.acknowledge(delivery.tag) }
        try client.close()
    }

    @Test("a delayed row whose time is none is due, and keeps nothing behind it")
    func oddTime() throws {
        try olderFile(Self.row(["STATE": "1", "VISIBLE": "'soon'"]))
        let client = try open()
        client.consume(queue, credit: 2)
        try client.receive(1)
        try client.close()
    }

    @Test("odd rows of hosts, results, chords, broadcasts, places and the leader end no process")
    func otherTables() throws {
        try olderFile(
            "INSERT INTO host(pid, started, boot, pid_namespace, lease_until) VALUES ('me', x'00', 1.5, x'ff', 'never')",
            Self.row(["STATE": "2"]), "UPDATE message SET host = 1",
            "INSERT INTO result(task_id, state, meta) VALUES ('r', 7, 17)",
            "INSERT INTO chord(group_id, size, extra, is_over, token, token_until, expires_at) "
                + "VALUES ('g', 'two', 'x', 'no', x'ff', 'later', 'never')",
            "INSERT INTO broadcast(channel, properties, headers, body, expires_at) VALUES ('c', 1, x'ff', 3, 'x')")
        let client = try open()
        client.consume(queue, credit: 1)
        // A host that cannot be read holds nothing.
        try client.receive(1)
        let file = SQLiteFile(address: SQLiteAddress(path: path), loop: loop)
        let results = SQLiteResults(file: file)
        let listener = Listener()
        results.connect(events: listener)
        var answers = 0
        results.fetch("r") { _ in answers += 1 }
        let part = ChordPart(groupID: "g", groupIndex: 0, taskID: "t", state: .success, value: Array("1".utf8))
        results.returnPart(part) { _ in answers += 1 }
        results.keepClaim(ChordClaim(groupID: "g", token: "t")) { _ in answers += 1 }
        file.submit(.write) { db in
            _ = try BroadcastRows.after(0, channels: ["c"], in: db)
        } done: { result in
            if case .success = result { answers += 1 }
        }
        try client.wait("all answers") { answers == 4 }
        withExtendedLifetime(listener) {}
        try client.close()
    }

    private final class Listener: ResultStoreEvents {
        func storeUp() {}
        func storeDown(reason: String, retryInSeconds: Double) {}
    }

    @Test("a new file's tables take no value of another type; an older file is opened and lifted")
    func strict() throws {
        let fresh = try open()
        try fresh.close()
        let database = try Database(path: path)
        #expect(throws: DatabaseError.self) { try database.script(Self.row(["DELIVERIES": "'many'"])) }
        let tables: Int? = try database.value(
            "SELECT count(*) FROM pragma_table_list WHERE strict AND name NOT LIKE 'sqlite%'")
        #expect(tables == 7)
        let indices: Int? = try database.value(
            "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        #expect(indices == 7)
        try database.close()
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        try olderFile(Self.row([:]))
        let older = try open()
        older.consume(queue, credit: 1)
        #expect(try older.receive(1)[0].text == "A")
        try older.close()
    }

    @Test("a lease goes by the machine's own clock, whatever the wall clock does")
    func wallClock() throws {
        let client = try open()
        try client.publish(["a"], to: queue)
        client.consume(queue, credit: 1)
        try client.receive(1)
        // As if the wall clock were an hour further on than when the lease was written.
        let database = try Database(path: path)
        let observer = HostIdentity.current
        try database.script("UPDATE host SET lease_until = lease_until - 3600000000")
        let lost = try HostRows.lost(seenBy: observer, except: nil, now: .now, allowance: 5, in: database)
        #expect(lost == [])
        let later = BootTime.now.advanced(bySeconds: 60)
        #expect(try HostRows.lost(seenBy: observer, except: nil, now: later, allowance: 5, in: database).count == 1)
        try database.close()
        try client.close()
    }

    @Test("an older library leaves the log to us, and it is emptied while it is written")
    func checkpoints() throws {
        for mended in ["3.51.3", "3.52.0", "3.50.7", "3.44.6", "4.0.0"] { #expect(Checkpoints.isMended(mended)) }
        for old in ["3.40.1", "3.44.5", "3.45.0", "3.50.6", "3.51.2"] { #expect(!Checkpoints.isMended(old)) }
        let connection = try FileConnection(SQLiteAddress(path: path))
        let body = Data(repeating: 65, count: 256 << 10)
        let row = NewMessage(queue: "q", message: WireMessage(headers: [:], body: [UInt8](body)))
        for _ in 0..<200 {
            try connection.run([
                FileJob(.write) { db in
                    try MessageRows.insert(row, now: wallTime(), in: db)
                } done: { (_: Result<Void, SQLiteFailure>) in
                }
            ])
            try connection.tidyLog()
        }
        // 50 MiB were written.
        let size = try FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int ?? .max
        #expect(size < 20 << 20, "\(size)")
        try connection.close()
    }
}
