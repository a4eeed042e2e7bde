// Revocations, rate limits and time limits set while the engine runs.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import Engine

@Suite("Revocation")
struct RevocationTests {
    @Test("a revoked id never starts and ends as REVOKED, its neighbours run")
    func beforeReceipt() {
        let world = SimulatedWorld(seed: 1)
        world.post(.revoke(["no"], terminate: nil))
        world.send("no")
        world.send("yes")
        world.connect()
        world.run()
        #expect(world.starts["no"] == nil && world.results["no"] == .revoked)
        #expect(world.results["yes"] == .success)
        #expect(world.unsettled.isEmpty && world.waiting.isEmpty)
    }

    @Test("an id revoked while it waits for its eta is discarded when it is due")
    func whileScheduled() {
        let world = SimulatedWorld(seed: 1)
        let due = world.clocks.wall.advanced(bySeconds: 30)
        world.send("later", headers: ["eta": .string(ISO8601.format(due))])
        world.connect()
        world.run(steps: 1)
        world.post(.revoke(["later"], terminate: nil))
        world.run()
        #expect(world.starts["later"] == nil && world.results["later"] == .revoked)
    }

    @Test("terminate ends the active task of that id and no other", arguments: 1...50 as ClosedRange<UInt64>)
    func terminate(seed: UInt64) throws {
        let world = SimulatedWorld(seed: seed)
        world.duration = 1_000...1_000
        for name in ["a", "b", "c"] { world.send(name) }
        world.connect()
        world.run(steps: 6)
        let active = try #require(world.running.values.map(\.id).min())
        world.post(.revoke([active], terminate: 15))
        world.run()
        #expect(world.results[active] == .revoked)
        for name in ["a", "b", "c"] where name != active { #expect(world.results[name] == .success) }
        let meta = try JSON(parsing: #require(world.metas[active]), limits: .trusted)
        #expect(meta["result"]?["exc_message"] == ["terminated"])
        #expect(world.unsettled.isEmpty)
    }

    @Test("a stamp revokes every task that carries it")
    func byStamp() {
        let world = SimulatedWorld(seed: 1)
        let stamped: FieldTable = [
            "stamped_headers": .array([.string("on")]), "stamps": .table(["on": .array([.string("x"), .int(7)])]),
        ]
        world.post(.revokeStamps([RevokedStamp(name: "on", values: ["7"])], terminate: nil))
        world.send("stamped", headers: stamped)
        world.send("plain")
        world.connect()
        world.run()
        #expect(world.results["stamped"] == .revoked && world.results["plain"] == .success)
    }

    @Test("a revoked member of a chord fails its body instead of leaving it waiting")
    func chordMember() {
        let world = SimulatedWorld(seed: 1)
        world.chords["g"] = SimulatedChord(size: 2)
        for index in 0..<2 {
            world.send(
                "m\(index)", headers: ["group": .string("g"), "group_index": .int(Int64(index))],
                body: #"[[],{},{"chord":{"task":"t","args":[],"kwargs":{},"options":{"task_id":"body"}}}]"#)
        }
        world.post(.revoke(["m1"], terminate: nil))
        world.connect()
        world.run()
        #expect(world.results["m1"] == .revoked && world.results["body"] == .failure)
    }

    @Test("ids are forgotten after three hours, and the oldest first beyond fifty thousand")
    func bounds() {
        var revocations = Revocations()
        let start = Instant(nanoseconds: 0)
        for number in 0..<50_010 { revocations.add("id-\(number)", at: start) }
        #expect(!revocations.contains("id-9", at: start) && revocations.contains("id-10", at: start))
        #expect(revocations.ids(at: start).count == 50_000)
        let later = start.advanced(bySeconds: 10_800)
        #expect(!revocations.contains("id-10", at: later) && revocations.ids(at: later).isEmpty)
    }

    @Test("an id revoked again and again takes no more room than once, behind one that lives on too")
    func repeats() {
        var revocations = Revocations()
        revocations.add("lives on", at: Instant(nanoseconds: 0))
        for second in 1...20_000 {
            revocations.add("again", at: Instant(nanoseconds: UInt64(second) * 1_000_000))
            revocations.add("again", at: Instant(nanoseconds: UInt64(second) * 1_000_000))
        }
        #expect(revocations.entries < 2_000)
        #expect(revocations.ids(at: Instant(nanoseconds: 20_000_000_001)) == ["lives on", "again"])
        let changes = revocations.changes
        revocations.add(String(repeating: "x", count: 1025), at: Instant(nanoseconds: 1))
        #expect(revocations.changes == changes)
    }

    @Test("stamps are bounded: the oldest go first, and a repeated one changes nothing")
    func stampBounds() {
        var revocations = Revocations()
        for number in 0..<10_050 { revocations.add(RevokedStamp(name: "on-\(number % 2)", values: ["\(number)"])) }
        #expect(revocations.stamps.reduce(0) { $0 + $1.values.count } == 10_000)
        #expect(revocations.stamps.map(\.name) == ["on-0", "on-1"])
        #expect(revocations.stamps[0].values.first == "50" && revocations.stamps[1].values.first == "51")
        let changes = revocations.changes
        revocations.add(RevokedStamp(name: "on-0", values: ["50"]))
        revocations.add(RevokedStamp(name: "on-0", values: [String(repeating: "x", count: 1025)]))
        #expect(revocations.changes == changes)
    }
}

@Suite("Rate limits")
struct RateLimitTests {
    @Test("texts are read as Celery writes them")
    func texts() throws {
        #expect(try RateLimit.parse("10/m") == 10.0 / 60)
        #expect(try RateLimit.parse("2.5") == 2.5)
        #expect(try RateLimit.parse("36/h") == 0.01)
        #expect(try RateLimit.parse("0") == nil && RateLimit.parse(nil) == nil && RateLimit.parse("") == nil)
        #expect(throws: ControlRefusal.unknownUnit("z")) { try RateLimit.parse("1/z") }
        #expect(throws: ControlRefusal.invalidRate("many")) { try RateLimit.parse("many") }
    }

    @Test("tasks of a limited name start in order, one per token, whatever slots are free")
    func spaced() {
        var task = TaskOptions()
        task.rateLimit = "2/s"
        let world = SimulatedWorld(seed: 1, task: task)
        for number in 0..<6 { world.send("id-\(number)") }
        world.connect()
        world.run()
        #expect(world.startOrder == (0..<6).map { "id-\($0)" })
        for (earlier, later) in zip(world.startTimes, world.startTimes.dropFirst()) {
            #expect(later - earlier >= 490_000_000)
        }
        #expect(world.unsettled.isEmpty)
    }

    @Test("a limit taken away lets those that wait start at once")
    func lifted() {
        var task = TaskOptions()
        task.rateLimit = "1/h"
        let world = SimulatedWorld(seed: 1, task: task)
        for number in 0..<4 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: 8)
        let before = world.now
        world.post(.setRate(nil, task: "t"))
        world.run()
        #expect(world.results.count == 4 && world.results.values.allSatisfy { $0 == .success })
        #expect(world.startTimes.allSatisfy { $0 < before + 60_000_000_000 })
    }

    @Test("a stop requeues what waits for a rate")
    func stop() {
        var task = TaskOptions()
        task.rateLimit = "1/h"
        let world = SimulatedWorld(seed: 1, task: task)
        for number in 0..<4 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: 8)
        world.post(.stop(.warm))
        world.run()
        #expect(world.stopped && world.unsettled.isEmpty && world.waiting.count == 3)
    }

    @Test("lost links do not let tasks that wait for a rate start twice", arguments: 1...200 as ClosedRange<UInt64>)
    func linkLoss(seed: UInt64) {
        var task = TaskOptions()
        task.rateLimit = "20/s"
        let world = SimulatedWorld(seed: seed, task: task, faults: .init(linkLoss: 0.05))
        for number in 0..<20 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: 200)
        world.calm()
        world.run()
        #expect(world.starts.count == 20 && world.starts.values.allSatisfy { $0 == 1 })
        #expect(world.unsettled.isEmpty && world.waiting.isEmpty && world.violations == [])
    }
}

@Suite("Limits set while running")
struct LimitTests {
    @Test("a new hard limit holds for tasks that come after it")
    func hardLimit() {
        let world = SimulatedWorld(seed: 1)
        world.duration = 100...100
        world.send("before")
        world.connect()
        world.run()
        world.post(.setTimeLimits(soft: nil, hard: 0.01, task: "t"))
        world.send("after")
        world.run()
        #expect(world.results["before"] == .success && world.results["after"] == .failure)
    }
}
