// What goes through NOTIFY: long broadcasts, events; and who leads, which goes through a row.
import Loop
import Ports
import TaskModel
import TestKit
import Testing

@testable import PostgreSQL

@Suite("PostgreSQL as broker: notices and leaders", .serialized)
struct PostgreSQLNoticeTests {
    private let loop: EpollLoop
    private let database: PostgreSQLDatabase

    init() throws {
        loop = try EpollLoop()
        database = try PostgreSQLDatabase()
    }

    private func wait(_ what: String, until condition: () -> Bool) throws {
        guard loop.run(until: condition, timeoutSeconds: 15) else { throw TooLate(what: what) }
    }

    @Test("a broadcast of any length is heard whole, and lies nowhere for long")
    func longBroadcast() throws {
        let (sending, hearing) = (
            PostgreSQLControl(line: try database.line(on: loop)),
            PostgreSQLControl(
                line: try database.line(on: loop))
        )
        var heard: [WireMessage] = []
        hearing.open(nodeName: "b", controlExchange: "celery") { heard.append($0.message) }
        sending.open(nodeName: "a", controlExchange: "celery") { _ in }
        // From when it hears itself on nothing is missed.
        hearing.broadcast(.text("here"), controlExchange: "celery")
        try wait("our own") { heard.count == 1 }
        let lengths = [0, 5_000, 6_000, 8_000, 300_000]
        for length in lengths {
            var message = WireMessage.text(String(repeating: "x", count: length))
            message.headers["odd"] = .string("a\nb\u{0}c")
            sending.broadcast(message, controlExchange: "celery")
            try wait("\(length) bytes") { heard.last?.body.count == length }
            #expect(heard.last?.headers["odd"] == .string("a\nb\u{0}c"))
        }
        #expect(try database.sql("SELECT count(*) FROM taskhost.broadcast") == "3")
        try database.sql("UPDATE taskhost.broadcast SET sent = sent - interval '61 seconds'")
        sending.broadcast(.text(String(repeating: "y", count: 9_000)), controlExchange: "celery")
        try wait("the last") { heard.last?.body.count == 9_000 }
        #expect(try database.sql("SELECT count(*) FROM taskhost.broadcast") == "1")
        sending.close()
        hearing.close()
    }

    @Test("broadcasts are heard again after the connection was lost")
    func afterLoss() throws {
        let own = PostgreSQLControl(line: try database.line(on: loop))
        var heard: [String] = []
        own.open(nodeName: "a", controlExchange: "celery") { heard.append($0.message.text) }
        own.broadcast(.text("before"), controlExchange: "celery")
        try wait("the first") { heard == ["before"] }
        try database.terminate()
        // Sent while nobody hears it, it is for nobody: said again until it is heard.
        for _ in 0..<60 where !heard.contains("after") {
            own.broadcast(.text("after"), controlExchange: "celery")
            _ = loop.run(until: { heard.contains("after") }, timeoutSeconds: 0.5)
        }
        #expect(heard.contains("after"))
        own.close()
    }

    @Test("all events of one turn reach a monitor, in their order, equal ones too")
    func events() throws {
        let source = PostgreSQLEventSource(line: try database.line(on: loop))
        var (isListening, seen) = (false, [String]())
        source.open {
            isListening = true
        } received: {
            seen.append($0.text)
        }
        try wait("the listener") { isListening }
        let channel = PostgreSQLEvents(line: try database.line(on: loop))
        let texts = (0..<300).map { "event \($0 / 2)" }
        for text in texts { channel.publish(.text(text), routingKey: "task.succeeded") }
        try wait("all") { seen.count == texts.count }
        #expect(seen == texts)
        channel.close()
        source.close()
    }

    @Test("one leads, the others follow, and after it resigned the next one has its memory")
    func leads() throws {
        var told: [[String]] = [[], []]
        let candidates = try (0..<2).map { _ in PostgreSQLLeadership(line: try database.line(on: loop)) }
        func campaign(_ index: Int) {
            candidates[index].campaign { event in
                switch event {
                case .leading(let memory):
                    told[index].append("leading \(memory.map { String(decoding: $0, as: UTF8.self) } ?? "-")")
                case .following: told[index].append("following")
                case .lost(let reason): told[index].append("lost: \(reason)")
                }
            }
        }
        campaign(0)
        try wait("the leader") { told[0] == ["leading -"] }
        campaign(1)
        try wait("the follower") { told[1].first == "following" }
        #expect(candidates[0].isLeading && !candidates[1].isLeading)
        var isStored = false
        candidates[0].remember([UInt8]("known".utf8)) { isStored = true }
        try wait("the memory") { isStored }
        candidates[1].remember([UInt8]("not mine".utf8)) { Issue.record("a follower may not write") }
        try wait("the refusal") { told[1].contains("lost: another process leads") }
        var hasResigned = false
        candidates[0].resign { hasResigned = true }
        try wait("the resignation") { hasResigned && told[1].contains("leading known") }
        candidates[1].resign {}
        #expect(!candidates[0].isLeading)
    }
}
