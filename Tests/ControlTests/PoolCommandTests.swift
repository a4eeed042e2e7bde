// Replies to commands about the pool, in Celery's words.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import Control

@Suite("Pool commands")
struct PoolCommandTests {
    private let engine = FakeEngine()

    private func ask(_ method: String, _ arguments: [(String, JSON)] = []) throws -> JSON? {
        let channel = FakeChannel()
        let facts = ControlFacts(version: "1", broker: [], resultStore: "", settings: { _ in [] })
        let service = ControlService(
            channel: channel, engine: engine, facts: facts, loop: FakeLoop(), log: { _, _ in })
        service.open()
        let request: JSON = [
            "method": .string(method), "arguments": .object(arguments.map { JSONMember(key: $0.0, value: $0.1) }),
            "destination": nil, "ticket": "t",
            "reply_to": ["exchange": "reply.celery.pidbox", "routing_key": "probe"],
        ]
        channel.deliver(ControlBody.message(request, headers: ["clock": .int(1)], deliveryMode: 2))
        guard let reply = channel.replies.first else { return nil }
        return try JSON(parsing: reply.message.body, limits: .trusted)["w1@test"]
    }

    @Test("pool_grow and pool_shrink change the slots, by one if nothing is said")
    func changes() throws {
        #expect(try ask("pool_grow") == ["ok": "pool will grow"])
        #expect(try ask("pool_grow", [("n", 3)]) == ["ok": "pool will grow"])
        #expect(try ask("pool_shrink", [("n", 2)]) == ["ok": "pool will shrink"])
        #expect(engine.told == ["slots 1", "slots 3", "slots -2"])
    }

    @Test("autoscale takes its two arguments and no others, in Python's words")
    func strangeArgument() throws {
        engine.range = SlotRange(min: 1, max: 2)
        #expect(
            try ask("autoscale", [("max", 3), ("x", 1)])
                == ["error": "TypeError(\"autoscale() got an unexpected keyword argument 'x'\")"])
    }

    @Test(
        "numbers that are none change nothing",
        arguments: [.int(-1), .int(4097), .string("many"), .double(1.5)] as [JSON])
    func wrong(n: JSON) throws {
        #expect(
            try ask("pool_grow", [("n", n)])
                == ["error": .string("ValueError('n must be a whole number from 0 to 4096')")])
        #expect(engine.told.isEmpty)
    }

    @Test("with autoscale on they are refused")
    func refused() throws {
        engine.range = SlotRange(min: 2, max: 10)
        #expect(
            try ask("pool_grow")
                == ["error": "pool_grow is not supported with autoscale. Adjust autoscale range instead."])
        #expect(
            try ask("pool_shrink")
                == ["error": "pool_shrink is not supported with autoscale. Adjust autoscale range instead."])
    }

    @Test("autoscale changes both bounds, or one")
    func autoscale() throws {
        #expect(try ask("autoscale", [("max", 3), ("min", 1)]) == ["error": "ValueError('Autoscale not enabled')"])
        engine.range = SlotRange(min: 2, max: 10)
        #expect(try ask("autoscale", [("max", 3), ("min", 1)]) == ["ok": "autoscale now max=3 min=1"])
        #expect(try ask("autoscale", [("max", 5), ("min", .null)]) == ["ok": "autoscale now max=5 min=1"])
        #expect(
            try ask("autoscale", [("max", 2), ("min", 3)]) == ["error": "ValueError('min=3 is more than max=2')"])
    }

    @Test("stats tells the bounds, the slots and what is in hand, only when they follow demand")
    func stats() throws {
        let plain = try #require(try ask("stats")?.members)
        #expect(plain.contains { $0.key == "pool" } && !plain.contains { $0.key == "autoscaler" })
        engine.figures.slots = 3
        engine.figures.autoscale = SlotRange(min: 2, max: 10)
        engine.figures.inHand = 7
        let stats = try ask("stats")
        #expect(stats?["autoscaler"] == ["max": 10, "min": 2, "current": 3, "qty": 7])
        #expect(stats?["pool"]?["max-concurrency"] == 3)
    }

    @Test("pool_restart needs the operator's leave")
    func restart() throws {
        #expect(
            try ask("pool_restart", [("reload", false)]) == ["error": "ValueError('Pool restarts not enabled')"])
        engine.mayRestart = true
        #expect(try ask("pool_restart", [("reload", false)]) == ["ok": "reload started"])
        #expect(engine.told == ["restart"])
    }
}
