// What an operator does not let remote control do.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import Control

@Suite("Remote control, restricted")
struct ControlPolicyTests {
    private let engine = FakeEngine()
    private let channel = FakeChannel()

    /// A signature of the simplest kind: whoever writes "signed:" before the body has the key.
    private struct Seal: BodyFormats {
        var hasKey = true

        func json(
            from body: [UInt8], _ type: ContentType, _ compression: Compression?, limits: WireLimits, now: WallTime
        ) throws(WireError) -> [UInt8] {
            guard type == .auth else { return body }
            let mark = Array("signed:".utf8)
            guard body.starts(with: mark) else { throw WireError(.badSignature, "not the signature of this body") }
            return Array(body.dropFirst(mark.count))
        }

        func body(
            from json: [UInt8], _ type: ContentType, _ compression: Compression?
        ) throws(WireError) -> [UInt8] {
            guard hasKey else { throw WireError(.badSignature, "there is no key to sign with") }
            return Array("signed:".utf8) + json
        }
    }

    private func open(_ policy: ControlPolicy, hasKey: Bool = true) -> ControlService {
        engine.revokedTaskIDs = ["mine"]
        let service = ControlService(
            channel: channel, engine: engine,
            facts: ControlFacts(version: "1", broker: [], resultStore: "", settings: { _ in [] }), loop: FakeLoop(),
            policy: policy, formats: ControlFormats(Seal(hasKey: hasKey), accepted: [.auth]), log: { _, _ in })
        service.open()
        return service
    }

    private func send(_ method: String, _ arguments: JSON = [:], signature: String? = nil) throws {
        channel.replies = []
        let body: JSON = [
            "method": .string(method), "arguments": arguments, "ticket": "t",
            "reply_to": ["exchange": "e", "routing_key": "k"],
        ]
        deliver(body, ["clock": .int(1)], signature: signature)
    }

    private func deliver(_ body: JSON, _ headers: FieldTable, signature: String?) {
        var message = ControlBody.message(body, headers: headers, deliveryMode: 2)
        if let signature {
            message.body = Array(signature.utf8) + message.body
            message.properties.contentType = ContentType.auth.mimeType
        }
        channel.deliver(message)
    }

    private func reply() throws -> JSON? {
        guard let message = channel.replies.first?.message else { return nil }
        let text = try Seal().json(
            from: message.body, ContentType.named(message.properties.contentType ?? "") ?? .json, nil,
            limits: .standard, now: .init(microseconds: 0))
        return try JSON(parsing: text)["w1@test"]
    }

    private static let changing: [(String, JSON)] = [
        ("revoke", ["task_id": "x"]), ("terminate", ["task_id": "x", "signal": "KILL"]),
        ("revoke_by_stamped_headers", ["headers": ["on": "x"]]),
        ("rate_limit", ["task_name": "demo.add", "rate_limit": "1/s"]), ("time_limit", ["task_name": "demo.add"]),
        ("add_consumer", ["queue": "q"]), ("cancel_consumer", ["queue": "q"]), ("pause_queue", ["queue": "q"]),
        ("resume_queue", ["queue": "q"]), ("pool_grow", [:]),
        ("pool_shrink", [:]), ("autoscale", ["max": 3]), ("pool_restart", [:]), ("enable_events", [:]),
        ("disable_events", [:]), ("shutdown", [:]),
    ]
    private static let looking = [
        "ping", "active", "reserved", "scheduled", "revoked", "registered", "active_queues", "stats", "conf", "report",
        "clock", "overview", "memsample", "memdump", "heartbeat",
    ]

    @Test("who may only look is refused every change, by the setting's name, and sees everything")
    func readOnly() throws {
        let service = open(ControlPolicy(isReadOnly: true))
        for (method, arguments) in Self.changing {
            // Not even with a signature.
            try send(method, arguments, signature: "signed:")
            let told = try #require(reply()?["error"]?.text)
            #expect(told == "PermissionError('\(method): this worker is only to be looked at ([control] read_only)')")
        }
        for method in Self.looking {
            try send(method)
            #expect(try reply().map { $0["error"] == nil } == true, "\(method)")
        }
        #expect(engine.told.isEmpty && engine.revokedTaskIDs == ["mine"] && engine.consumedQueues.isEmpty)
        service.close()
    }

    @Test("greetings change nothing there: what others tell is not taken over")
    func readOnlyGreetings() throws {
        let service = open(ControlPolicy(isReadOnly: true))
        try send("hello", ["from_node": "w2@test", "revoked": ["theirs"]])
        #expect(try reply()?["revoked"] == ["mine"])
        deliver(["w2@test": ["revoked": ["theirs"], "clock": 1]], ["ticket": .string("hello-w1@test")], signature: nil)
        #expect(engine.revokedTaskIDs == ["mine"])
        service.close()
    }

    @Test("where signatures are asked for, changes without one are refused by the setting's name; looking is free")
    func unsigned() throws {
        let service = open(ControlPolicy(requiresSigned: true))
        for (method, arguments) in Self.changing {
            try send(method, arguments)
            #expect(try reply()?["error"]?.text?.contains("\(method): only signed commands") == true)
            #expect(try reply()?["error"]?.text?.contains("[control] require_signed") == true)
        }
        try send("ping")
        #expect(try reply() == ["ok": "pong"])
        #expect(engine.told.isEmpty && engine.revokedTaskIDs == ["mine"])
        service.close()
    }

    @Test("a signed change is obeyed and answered in a signed reply; a wrong signature is not answered at all")
    func signed() throws {
        let service = open(ControlPolicy(requiresSigned: true))
        try send("pool_grow", ["n": 2], signature: "forged:")
        #expect(channel.replies.isEmpty)
        try send("pool_grow", ["n": 2], signature: "signed:")
        #expect(try reply() == ["ok": "pool will grow"])
        #expect(channel.replies.first?.message.properties.contentType == "application/data")
        #expect(engine.told == ["slots 2"])
        service.close()
    }

    @Test("without a key of our own a signed command is obeyed, and answered in plain JSON")
    func noKey() throws {
        let service = open(ControlPolicy(requiresSigned: true), hasKey: false)
        try send("pool_grow", signature: "signed:")
        #expect(try reply() == ["ok": "pool will grow"])
        #expect(channel.replies.first?.message.properties.contentType == "application/json")
        service.close()
    }

    @Test("our own greeting is heard, whether we can check its signature or not")
    func ownGreeting() throws {
        let service = open(ControlPolicy(requiresSigned: true))
        var timesHeard = 0
        service.onHearing = { timesHeard += 1 }
        var greeting = try #require(channel.broadcasts.first)
        greeting.properties.contentType = "application/x-unknown"
        channel.deliver(greeting)
        channel.deliver(greeting)
        #expect(timesHeard == 1)
        service.close()
    }

    @Test("greetings are signed there, and only what signed ones tell is taken over")
    func signedGreetings() throws {
        let service = open(ControlPolicy(requiresSigned: true))
        #expect(channel.broadcasts.first?.properties.contentType == "application/data")
        try send("hello", ["from_node": "w2@test", "revoked": ["theirs"]])
        let answer: JSON = ["w3@test": ["revoked": ["others"], "clock": 1]]
        deliver(answer, ["ticket": .string("hello-w1@test")], signature: nil)
        #expect(engine.revokedTaskIDs == ["mine"])
        try send("hello", ["from_node": "w2@test", "revoked": ["theirs"]], signature: "signed:")
        deliver(answer, ["ticket": .string("hello-w1@test")], signature: "signed:")
        #expect(engine.revokedTaskIDs == ["mine", "theirs", "others"])
        service.close()
    }
}
