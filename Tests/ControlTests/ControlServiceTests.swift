// The driver: clocks, greetings, and messages that are no commands.
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import Control

@Suite("Remote control, the service")
struct ControlServiceTests {
    let engine = FakeEngine()
    let channel = FakeChannel()
    let loop = FakeLoop()
    private let lines = Lines()
    let service: ControlService

    private final class Lines { var all: [String] = [] }

    init() {
        engine.revokedTaskIDs = ["mine"]
        let kept = lines
        let facts = ControlFacts(version: "1", broker: [], resultStore: "", settings: { _ in [] })
        service = ControlService(
            channel: channel, engine: engine, facts: facts, loop: loop, log: { kept.all.append("\($0) \($1)") })
        service.open()
    }

    private func send(_ body: JSON, clock: Int64 = 0, contentType: String = "application/json") throws {
        var message = ControlBody.message(body, headers: ["clock": .int(clock)], deliveryMode: 2)
        message.properties.contentType = contentType
        channel.deliver(message)
    }

    private func command(_ method: String, _ arguments: JSON = [:]) -> JSON {
        [
            "method": .string(method), "arguments": arguments, "ticket": "t",
            "reply_to": ["exchange": "e", "routing_key": "k"],
        ]
    }

    private func lastReply() throws -> JSON {
        let message = try #require(channel.replies.last).message
        return try #require(JSON(parsing: message.body)["w1@test"])
    }

    @Test("at the start the others are asked for their revoked ids, and told ours")
    func greeting() throws {
        let body = try JSON(parsing: try #require(channel.broadcasts.first).body)
        #expect(body["method"] == "hello")
        #expect(body["arguments"]?["from_node"] == "w1@test")
        #expect(body["arguments"]?["revoked"] == ["mine"])
        #expect(body["reply_to"]?["routing_key"] == "w1@test.celery.pidbox")
    }

    @Test("it is heard when its own greeting comes back, not when another's does")
    func hearing() throws {
        var heard = 0
        service.onSubscribed = { heard += 1 }
        try send(command("hello", ["from_node": "w2@test", "revoked": []]))
        #expect(heard == 0)
        let own = try #require(channel.broadcasts.first)
        channel.deliver(own)
        channel.deliver(own)
        #expect(heard == 1)
    }

    @Test("a greeting's answer adds ids and moves the clock; our own answer does neither")
    func greetingAnswered() throws {
        func answer(_ node: String, _ value: JSON) throws {
            let body = JSON.object([JSONMember(key: node, value: value)])
            let headers: FieldTable = ["ticket": .string("hello-w1@test"), "clock": .int(3)]
            let message = ControlBody.message(body, headers: headers, deliveryMode: 1)
            channel.deliver(message)
        }
        try answer("w2@test", ["revoked": ["theirs", "mine"], "clock": 40])
        try answer("w1@test", ["revoked": ["no"], "clock": 99])
        try answer("w3@test", nil)
        #expect(engine.revokedTaskIDs == ["mine", "theirs"])
        try send(command("clock"))
        #expect(try lastReply()["clock"] == 42)
        #expect(channel.replies.count == 1)
    }

    @Test("both clocks grow with each command; the mailbox's also by what the sender says")
    func clocks() throws {
        try send(command("clock"), clock: 100)
        #expect(try lastReply()["clock"] == 1)
        #expect(channel.replies.last?.message.headers["clock"]?.integer == 102)
        try send(command("hello", ["from_node": "w2@test"]), clock: 5)
        #expect(try lastReply() == ["revoked": ["mine"], "clock": 3])
        #expect(channel.replies.last?.message.headers["clock"]?.integer == 104)
        try send(command("clock"), clock: .max)
        #expect(channel.replies.last?.message.headers["clock"]?.integer == 106)
    }

    @Test("where no events can be sent they cannot be turned on, and a heartbeat is nothing")
    func noEvents() throws {
        try send(command("enable_events"))
        #expect(
            try lastReply()["error"]
                == "RuntimeError('enable_events: this broker carries no events, and this worker has no socket')"
        )
        try send(command("heartbeat"))
        #expect(try lastReply() == nil)
    }

    @Test("queues are paused and resumed by commands of our own, and active_queues says so")
    func pausing() throws {
        engine.consumedQueues = [QueueDeclaration(name: "a"), QueueDeclaration(name: "b")]
        func order(_ method: String, _ queue: String) throws -> JSON? {
            try send(command(method, ["queue": .string(queue)]))
            return try lastReply()["ok"]
        }
        #expect(try order("pause_queue", "b") == "paused b")
        #expect(try order("pause_queue", "b") == "b is paused already")
        for method in ["pause_queue", "resume_queue"] {
            #expect(try order(method, "bb") == nil)
            #expect(try lastReply()["error"] == "not consuming from bb (consumed: a, b); did you mean 'b'?")
        }
        try send(command("active_queues"))
        #expect(try lastReply().elements?.map { $0["paused"]?.boolean } == [nil, true])
        #expect(try order("resume_queue", "b") == "resumed b")
        #expect(try order("resume_queue", "b") == "b is not paused")
        #expect(engine.pausedQueues.isEmpty)
        try send(command("pause_queue"))
        #expect(
            try lastReply()["error"]?.text?.contains("missing 1 required positional argument: 'queue'") == true)
    }

    @Test("versions of bundles are promoted and taken back by commands of our own, and shown")
    func bundleVersions() throws {
        func order(_ method: String, _ bundle: String?) throws -> JSON {
            try send(command(method, bundle.map { ["bundle": .string($0)] } ?? [:]))
            return try lastReply()
        }
        #expect(try order("promote_bundle", nil)["ok"] == "no bundle has a version on trial")
        #expect(try order("rollback_bundle", "demo")["error"] == "demo has no version before that is still known")
        #expect(try order("promote_bundle", "unknown")["error"] == "no bundle unknown (loaded: none)")
        engine.bundles = [
            BundleReport(path: "/p/demo.so", status: .trial(share: 0.05), watched: RunTally(runs: 12, crashes: 1)),
            BundleReport(path: "/p/demo.so", status: .rolledBack("why")),
        ]
        #expect(try order("promote_bundle", "demo")["ok"] == "demo 2 serves everything")
        #expect(engine.told == ["promote ", "roll back demo", "promote unknown", "promote demo"])
        try send(command("bundles"))
        let shown = try #require(try lastReply().elements)
        #expect(shown[0]["state"] == "trial" && shown[0]["share"]?.number == 0.05 && shown[0]["crashes"] == 1)
        #expect(shown[1]["state"] == "taken back" && shown[1]["reason"] == "why")
    }

    @Test("without an address the command is obeyed and nothing is sent")
    func cast() throws {
        try send(["method": "revoke", "arguments": ["task_id": "x"]])
        #expect(engine.revokedTaskIDs == ["mine", "x"])
        #expect(channel.replies.isEmpty)
    }

    @Test("what is no command is dropped with a line that says why")
    func noCommand() throws {
        try send(["a", "b"])
        try send(["method": 7])
        try send(command("ping"), contentType: "application/x-python-serialize")
        channel.deliver(WireMessage(body: Array("{".utf8)))
        try send(["method": "ping", "pattern": "(", "matcher": "pcre"])
        #expect(channel.replies.isEmpty)
        #expect(lines.all.count == 5)
        #expect(lines.all[2].contains("application/x-python-serialize"))
    }

    @Test("arguments of wrong kinds are answered, not obeyed", arguments: ["revoke", "revoke_by_stamped_headers"])
    func hostileArguments(method: String) throws {
        for value: JSON in [7, true, [["a"]], [nil], ["a": ["b": []]], "x", ["x"]] {
            try send(command(method, ["task_id": value, "headers": value, "terminate": "yes", "signal": [1]]))
            #expect(try lastReply()["error"]?.text?.hasPrefix("TypeError(") == true)
        }
        #expect(engine.told.isEmpty)
    }

    @Test("signals are known by name, with and without SIG, and by number", arguments: ["USR1", "SIGUSR1"])
    func signals(name: String) throws {
        try send(command("terminate", ["task_id": "x", "signal": .string(name)]))
        try send(command("terminate", ["task_id": "x", "signal": 10]))
        #expect(engine.told == ["revoke [\"x\"] 10", "revoke [\"x\"] 10"])
        try send(command("terminate", ["task_id": "x", "signal": 65]))
        #expect(try lastReply()["error"] == "ValueError('signal number out of range')")
    }

    @Test("ended tasks are told by stamp, in Python's notation")
    func stamps() throws {
        engine.carriers = [RevokedStamp(name: "on", values: ["abc"])]
        try send(command("revoke_by_stamped_headers", ["headers": ["on": "abc"], "terminate": true]))
        #expect(try lastReply()["ok"] == "headers defaultdict(<class 'set'>, {'on': {'abc'}}) revoked")
    }

    @Test("a consumer with an exchange of another name is refused, since it would not be bound")
    func otherExchange() throws {
        try send(command("add_consumer", ["queue": "q", "exchange": "x"]))
        #expect(try lastReply()["error"]?.text?.contains("exchange 'x'") == true)
        #expect(engine.consumedQueues.isEmpty)
    }

    @Test("conf and report tell the settings as they were given, and no more")
    func settings() throws {
        let service = ControlService(
            channel: channel, engine: engine,
            facts: ControlFacts(
                version: "1.2.3", broker: [JSONMember(key: "transport", value: "amqp")], resultStore: "redis://h/0",
                settings: { defaults in
                    let all = [JSONMember(key: "a", value: 1), JSONMember(key: "b", value: 2)]
                    return Array(all.prefix(defaults ? 2 : 1))
                }),
            loop: loop, log: { _, _ in })
        service.open()
        try send(command("conf"))
        #expect(try lastReply() == ["a": 1])
        try send(command("conf", ["with_defaults": true]))
        #expect(try lastReply() == ["a": 1, "b": 2])
        try send(command("report"))
        let text = try #require(lastReply()["ok"]?.text)
        #expect(text.hasPrefix("\nsoftware -> celery:5.7 taskhost:1.2.3\nplatform -> system:"))
        #expect(text.contains("transport:amqp results:redis://h/0"))
        #expect(text.hasSuffix("\n\na: 1\n"))
    }

    @Test("nothing is answered after the close")
    func closing() throws {
        let receive = try #require(channel.received)
        service.close()
        receive(ControlMessage(message: ControlBody.message(command("ping"), headers: [:], deliveryMode: 2)))
        #expect(channel.replies.isEmpty)
    }
}
