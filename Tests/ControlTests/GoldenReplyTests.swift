// Every recorded request, answered as a real Celery worker answered it (Fixtures/capture.py).
import Foundation
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import Control

/// One request of the recording and what came back.
struct RecordedStep {
    var name: String
    var request: JSON
    var reply: JSON

    static func all() throws -> [RecordedStep] {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/replies.json")
        let json = try JSON(parsing: [UInt8](Data(contentsOf: url)), limits: .trusted)
        return try #require(json.elements).map { step in
            RecordedStep(
                name: try #require(step["name"]?.text), request: try #require(step["request"]),
                reply: step["reply"] ?? .null)
        }
    }
}

@Suite("Remote control, by the record")
struct GoldenReplyTests {
    let engine = FakeEngine()
    let channel = FakeChannel()
    let loop = FakeLoop()

    init() throws {
        engine.consumedQueues = [QueueDeclaration(name: "celery")]
        engine.registeredTasks = ["demo.nap", "demo.add"].map { name in
            var options = TaskOptions()
            options.maxRetries = .atMost(3)
            if name == "demo.add" { options.rateLimit = "10/m" }
            return TaskManifest(index: 0, name: name, parameters: [], result: nil, options: options)
        }
        engine.figures.received = ["demo.nap": 2, "demo.add": 1]
    }

    /// The recorded worker's process and start, which only it could know.
    private func hold(_ recorded: JSON) throws {
        for active in try #require(recorded.elements) {
            let id = try #require(active["id"]?.text)
            let start = WallTime(secondsSince1970: try #require(active["time_start"]?.number))
            let pid = Int32(try #require(active["worker_pid"]?.integer))
            var kwargs = ("{}", "{}")
            if id == "id-active-2" { kwargs = (#"{"note": "it's"}"#, #"{'note': 'it\'s'}"#) }
            engine.inFlightTasks.append(
                held(
                    id, "demo.nap", .active(since: start, pid: pid), ("[600]", "(600,)"), kwargs: kwargs,
                    priority: id == "id-active-1" ? 3 : 0, isAcknowledged: true))
        }
        engine.inFlightTasks.append(held("id-reserved", "demo.nap", .reserved, ("[1]", "(1,)")))
        var scheduled = held("id-scheduled", "demo.add", .scheduled, ("[1.5, 2]", "(1.5, 2)"))
        scheduled.eta = WallTime(microseconds: 2_209_086_245_000_006)
        engine.inFlightTasks.append(scheduled)
    }

    private func held(
        _ id: String, _ name: String, _ phase: InFlightTask.Phase, _ args: (json: String, repr: String),
        kwargs: (json: String, repr: String) = ("{}", "{}"), priority: UInt8 = 0, isAcknowledged: Bool = false
    ) -> InFlightTask {
        InFlightTask(
            phase: phase, id: id, name: name, displayName: name, args: Array(args.json.utf8)[...],
            kwargs: Array(kwargs.json.utf8)[...], argsRepr: args.repr, kwargsRepr: kwargs.repr, eta: nil, exchange: "",
            routingKey: "celery", priority: priority, redelivered: false, isAcknowledged: isAcknowledged)
    }

    @Test("every recorded request gets the recorded reply, in properties, headers and body")
    func replies() throws {
        let steps = try RecordedStep.all()
        try hold(try #require(steps.first { $0.name == "active" }?.reply["body"]?["w1@test"]))
        let facts = ControlFacts(version: "1", broker: [], resultStore: "", settings: { _ in [] })
        let service = ControlService(channel: channel, engine: engine, facts: facts, loop: loop, log: { _, _ in })
        service.open()
        var compared = 0
        for step in steps {
            channel.replies = []
            channel.deliver(ControlBody.message(step.request, headers: ["clock": .int(1)], deliveryMode: 2))
            if Self.elsewhere.contains(step.name) { continue }
            guard !step.reply.isNull else {
                #expect(channel.replies.isEmpty, "\(step.name): answered what Celery leaves unanswered")
                compared += 1
                continue
            }
            let sent = try #require(channel.replies.first, "\(step.name): no reply")
            #expect(channel.replies.count == 1)
            #expect(sent.address == ControlReplyAddress(exchange: "reply.celery.pidbox", routingKey: "probe"))
            let body = try JSON(parsing: sent.message.body, limits: .trusted)
            let wanted = sorted(try #require(step.reply["body"]))
            // Compared outside of #expect, which would draw up both trees.
            let isEqual = sorted(body) == wanted
            #expect(isEqual, "\(step.name): \(String(decoding: wanted.bytes, as: UTF8.self))")
            expect(sent.message, like: step)
            compared += 1
        }
        #expect(compared == steps.count - Self.elsewhere.count)
        #expect(engine.told.last == "shutDown")
        #expect(engine.told.contains("revoke [\"id-active-1\"] 9"))
        #expect(engine.told.contains("revoke [\"id-active-2\"] 15"))
        #expect(engine.told.contains("stamps [\"on=[\\\"abc\\\"]\", \"n=[\\\"7\\\"]\"] 0"))
        #expect(engine.told.contains("limits demo.add 5.0 10.5"))
    }

    /// Compared by other tests (values of one machine, or a clock), or events, which are not spoken yet.
    private static let elsewhere: Set<String> = ["stats", "clock", "hello from another", "enable_events with argument"]

    private func expect(_ message: WireMessage, like step: RecordedStep) {
        let properties = step.reply["properties"]
        #expect(message.properties.contentType == properties?["content_type"]?.text)
        #expect(message.properties.contentEncoding == properties?["content_encoding"]?.text)
        #expect(message.properties.deliveryMode.map { Int64($0) } == properties?["delivery_mode"]?.integer)
        #expect(message.properties.priority.map { Int64($0) } == properties?["priority"]?.integer)
        #expect(message.headers["ticket"]?.text == step.reply["headers"]?["ticket"]?.text)
        #expect(message.headers["clock"]?.integer != nil)
    }

    /// Members in one order everywhere: JSON's equality is of lists of members.
    private func sorted(_ value: JSON) -> JSON {
        switch value {
        case .array(let elements): .array(elements.map(sorted))
        case .object(let members):
            .object(
                members.sorted { $0.key < $1.key }.map { JSONMember(key: $0.key, value: sorted($0.value)) })
        default: value
        }
    }

    @Test("stats has every member that Flower and the record have, of the same kinds, save what only prefork knows")
    func stats() throws {
        let recorded = try #require(RecordedStep.all().first { $0.name == "stats" }?.reply["body"]?["w1@test"])
        let broker = try #require(recorded["broker"]?.members)
        let facts = ControlFacts(version: "1", broker: broker, resultStore: "", settings: { _ in [] })
        let ours = StatsReply.json(engine, facts: facts, clock: 18, uptime: 6)
        for member in try #require(recorded.members) {
            #expect(kind(ours[member.key] ?? .null) == kind(member.value), "\(member.key)")
        }
        let pool = try #require(recorded["pool"]?.members?.map(\.key))
        #expect(Set(ours["pool"]?.members?.map(\.key) ?? []) == Set(pool).subtracting(["writes"]))
        let usage = try #require(recorded["rusage"]?.members?.map(\.key))
        #expect(ours["rusage"]?.members?.map(\.key) == usage)
        #expect(ours["total"] == recorded["total"])
        #expect(ours["clock"] == recorded["clock"])
        #expect(ours["uptime"] == recorded["uptime"])
        #expect(ours["broker"] == recorded["broker"])
    }

    private func kind(_ value: JSON) -> String {
        switch value {
        case .null: "null"
        case .bool: "bool"
        case .int, .bigInteger, .double: "number"
        case .string, .surrogates: "text"
        case .array: "list"
        case .object: "map"
        }
    }
}
