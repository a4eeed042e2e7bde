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
    private let loop = FakeLoop()

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
            facts: ControlFacts(version: "1", broker: [], resultStore: "", settings: { _ in [] }), loop: loop,
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
        ("disable_events", [:]), ("shutdown", [:]), ("promote_bundle", [:]), ("rollback_bundle", [:]),
    ]
    private static let looking = [
        "ping", "active", "reserved", "scheduled", "revoked", "registered", "active_queues", "stats", "conf", "report",
        "clock", "overview", "memsample", "memdump", "heartbeat",
        "bundles",
    ]

    @Test("every command of the table is among those that change something, or among those that only look")
    func complete() {
        let changes = CommandTable.all.commands.filter { $0.effect == .changes }.map(\.name)
        #expect(Set(Self.changing.map(\.0)) == Set(changes))
        #expect(Set(Self.looking).isSubset(of: CommandTable.all.commands.map(\.name)))
    }

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

    @Test("a command that says when it was written is obeyed once; where that is asked for, no other is")
    func fresh() throws {
        let now = FakeLoop().clocks.wall.secondsSince1970
        func command(_ mark: JSONMember?) -> JSON {
            let members = [
                JSONMember(key: "method", value: "pool_grow"), JSONMember(key: "arguments", value: [:]),
                JSONMember(key: "ticket", value: "t"),
                JSONMember(key: "reply_to", value: ["exchange": "e", "routing_key": "k"]),
            ]
            return .object(members + (mark.map { [$0] } ?? []))
        }
        func answer(_ mark: JSONMember?) throws -> String {
            channel.replies = []
            deliver(command(mark), ["clock": .int(1)], signature: "signed:")
            return try reply()?["error"]?.text ?? "obeyed"
        }
        for requires in [true, false] {
            let service = open(ControlPolicy(requiresSigned: true, requiresFresh: requires))
            let mark = FreshMark.member(at: now - 20, nonce: "n1")
            #expect(try answer(mark) == "obeyed")
            #expect(try answer(mark).contains("it was seen before"))
            #expect(try answer(FreshMark.member(at: now - 31, nonce: "n2")).contains("31 s old"))
            #expect(try answer(FreshMark.member(at: now + 40, nonce: "n3")).contains("40 s in the future"))
            #expect(try answer(JSONMember(key: FreshMark.key, value: "soon")).contains("its time cannot be read"))
            // Celery's clients sign, and say nothing of the time.
            #expect(try answer(nil) == (requires ? answer(nil) : "obeyed"))
            #expect(try answer(nil).contains("require_fresh") == requires)
            service.close()
        }
        #expect(ControlPolicy(requiresFresh: true).requiresSigned)
    }

    @Test("what is remembered of fresh commands ends with the time in which they would be believed")
    func forgotten() {
        var book = FreshCommands()
        func body(_ at: Double, _ nonce: Int) -> JSON { .object([FreshMark.member(at: at, nonce: "\(nonce)")]) }
        for number in 0..<FreshCommands.capacity { #expect(book.check(body(1000, number), now: 1000) == .fresh) }
        #expect(book.check(body(1000, -1), now: 1000) == .stale("too many commands at a time"))
        #expect(book.check(body(1061, 5), now: 1061) == .fresh)
    }

    @Test("replies go to where Celery's clients wait for them, and nowhere else")
    func replyAddresses() {
        let replies = ControlReplies(controlExchange: "celery", targets: ReplyTargets(patterns: ["answers-*"]))
        func allows(_ exchange: String, _ key: String) -> Bool {
            replies.allow(ControlReplyAddress(exchange: exchange, routingKey: key))
        }
        #expect(allows("reply.celery.pidbox", "any") && allows("", "w2@test.celery.pidbox"))
        #expect(allows("", "f8b8a1d2-3c4b-4d5e-8f90-0123456789ab") && allows("", "answers-7"))
        #expect(!allows("", "payments") && !allows("payments", "x") && !allows("reply.other.pidbox", "x"))
        #expect(!allows("", "f8b8a1d2-3c4b-4d5e-8f90-0123456789a"))
        #expect(!allows("", "f8b8a1d2x3c4b-4d5e-8f90-0123456789ab"))
        #expect(!allows("", "my-answers-7") && !allows("", ""))
        let several = ReplyTargets(patterns: ["a*b*c", "*-end", "all*"])
        #expect(several.allows("abc") && several.allows("axxbyyc") && several.allows("x-end") && several.allows("all"))
        #expect(!several.allows("acb") && !several.allows("ab") && !several.allows("al"))
    }

    @Test("of a long command a part is done in each turn, and it is answered once all is done")
    func inParts() throws {
        let service = open(ControlPolicy())
        loop.keepsPosts = true
        try send("revoke", ["task_id": .array((0..<5_000).map { JSON.string("id-\($0)") })])
        var parts = [engine.revokedTaskIDs.count]
        while !loop.posted.isEmpty {
            loop.turn()
            parts.append(engine.revokedTaskIDs.count)
        }
        #expect(parts.prefix(3) == [2_001, 4_001, 5_001] && parts.count > 3)
        #expect(channel.replies.count == 1)
        service.close()
    }

    @Test("a command that comes while a long one is read is obeyed after it")
    func order() throws {
        let service = open(ControlPolicy())
        loop.keepsPosts = true
        try send("revoke", ["task_id": .array((0..<2_000).map { JSON.string("a-rather-long-name-of-a-task-\($0)") })])
        try send("revoke", ["task_id": "short"])
        #expect(engine.revokedTaskIDs == ["mine"])
        while !loop.posted.isEmpty { loop.turn() }
        #expect(engine.revokedTaskIDs.count == 2_002 && engine.revokedTaskIDs.last == "short")
        service.close()
    }

    @Test("a command of tens of thousands of ids takes short turns, and more than are remembered are refused")
    func manyIDs() throws {
        let service = open(ControlPolicy())
        let begin = ContinuousClock.now
        let ids = (0..<50_000).map { JSON.string("id-\($0 % 40_000)") }
        try send("revoke", ["task_id": .array(ids)])
        // Compared each with all it took half a minute in a release build.
        #expect(ContinuousClock.now - begin < .seconds(20))
        #expect(engine.told.count == 20 && engine.told.allSatisfy { $0.hasPrefix("revoke") })
        #expect(engine.revokedTaskIDs.count == 40_001 && Set(engine.revokedTaskIDs).count == 40_001)
        #expect(try reply()?["ok"]?.text?.hasSuffix("flagged as revoked") == true)
        try send("revoke", ["task_id": .array((0...50_000).map { JSON.string("id-\($0)") })])
        #expect(try reply()?["error"]?.text?.contains("one command takes 50000: give several") == true)
        try send("revoke", ["task_id": .string(String(repeating: "x", count: 1025))])
        #expect(try reply()?["error"]?.text?.contains("more than 1024 bytes") == true)
        try send("revoke_by_stamped_headers", ["headers": ["on": .array((0...10_000).map { JSON.string("\($0)") })]])
        #expect(try reply()?["error"]?.text?.contains("one command takes 10000") == true)
        #expect(engine.told.count == 20)
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
        service.onSubscribed = { timesHeard += 1 }
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
