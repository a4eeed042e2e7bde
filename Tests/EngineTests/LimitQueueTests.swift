// Limits by key, on running tasks, and across hosts.
import Ports
import TaskModel
import Testing

@testable import Engine

@Suite("Limits by key, on running tasks, and across hosts")
struct LimitLineTests {
    private func options(_ change: (inout TaskOptions) -> Void) -> TaskOptions {
        var task = TaskOptions()
        change(&task)
        return task
    }

    private func slots(_ count: Int) -> EngineOptions {
        EngineOptions.usual(
            slots: count, queues: [QueuePreference(declaration: QueueDeclaration(name: "q"))], nodeName: "sim@test")
    }

    private func run(_ world: SimulatedWorld, until isSo: () -> Bool) {
        for _ in 0..<10_000 where !isSo() { world.run(steps: 1) }
    }

    @Test("never more of a task run than may, in the order of arrival", arguments: 1...50 as ClosedRange<UInt64>)
    func most(seed: UInt64) {
        let world = SimulatedWorld(seed: seed, options: slots(8), task: options { $0.maxConcurrent = 2 })
        for number in 0..<12 { world.send("id-\(number)") }
        world.connect()
        world.run()
        #expect(world.mostRunning == 2 && world.results.count == 12)
        #expect(world.startOrder == (0..<12).map { "id-\($0)" })
        #expect(world.unsettled.isEmpty && world.core.limits.isEmpty && world.violations == [])
    }

    @Test("a limit by key lets other keys pass")
    func byKey() {
        let task = options {
            $0.maxConcurrent = 1
            $0.limitKey = "0:domain"
        }
        let world = SimulatedWorld(seed: 1, options: slots(8), task: task)
        world.duration = 1_000...1_000
        for (id, url) in [("a1", "http://a.org/1"), ("a2", "https://A.org:8/2"), ("b1", "http://b.org")] {
            world.send(id, body: "[[\"\(url)\"],{},{}]")
        }
        world.connect()
        world.run()
        #expect(world.startOrder == ["a1", "b1", "a2"] && world.mostRunning == 2)
    }

    @Test("a task that waits for its limit does not use up the credit of those behind it")
    func credit() {
        let task = options {
            $0.maxConcurrent = 1
            $0.limitKey = "0"
        }
        let world = SimulatedWorld(seed: 1, options: slots(2), task: task)
        world.duration = 1_000...1_000
        for number in 0..<40 { world.send("a\(number)", body: "[[\"a\"],{},{}]") }
        world.send("b", body: "[[\"b\"],{},{}]")
        world.connect()
        let usual = world.credit
        world.run()
        #expect(world.startOrder.prefix(2) == ["a0", "b"] && world.results.count == 41)
        // Shrunk when the queues of the limit are empty.
        world.send("last", body: "[[\"a\"],{},{}]")
        world.run()
        #expect(world.credit == usual && world.core.limits.isEmpty)
    }

    @Test("a task that is revoked or expires while it waits for its limit takes no permit")
    func revokedInLine() {
        let world = SimulatedWorld(seed: 1, options: slots(4), task: options { $0.maxConcurrent = 1 })
        world.duration = 1_000...1_000
        for id in ["first", "revoked", "expired", "last"] {
            world.send(id, headers: id == "expired" ? ["expires": .string("2027-01-15T08:00:01.5+00:00")] : [:])
        }
        world.connect()
        world.run(steps: 4)
        world.post(.revoke(["revoked"], terminate: nil))
        world.run()
        #expect(world.startOrder == ["first", "last"])
        #expect(world.results["revoked"] == .revoked && world.results["expired"] == .revoked)
        #expect(world.core.inFlight.isEmpty && world.core.limits.isEmpty && world.violations == [])
    }

    @Test("the permits of a host that died are free again, and not before their lease has ended")
    func deadHost() {
        let task = options {
            $0.maxConcurrent = 1
            $0.limitScope = .global
        }
        let world = SimulatedWorld(seed: 1, options: slots(2), task: task)
        world.shared = SimulatedLimits()
        world.duration = 60_000...60_000
        world.send("long")
        world.connect()
        world.run(steps: 8)
        #expect(world.running.count == 1)
        let end = world.now
        world.killHost()
        world.run()
        #expect(world.starts["long"] == 2 && world.results["long"] == .success)
        let began = world.startTimes[1]
        #expect(began > end && Double(began - end) / 1e9 < LimitQueues.leaseSeconds + 1)
    }

    @Test("a task whose permit has lapsed before it could start asks for one again")
    func lapsed() {
        let task = options {
            $0.maxConcurrent = 2
            $0.limitScope = .global
        }
        let world = SimulatedWorld(seed: 1, options: slots(1), task: task)
        let limits = SimulatedLimits()
        world.shared = limits
        // Its bundle cannot be started: it waits, and keeps its permit.
        world.faults.notStarted = 1
        world.send("late")
        world.connect()
        run(world) { limits.permits["t"]?.count == 1 }
        // From now on no lease can be renewed, and none is granted.
        world.faults.storeFailure = 1
        run(world) { limits.permits["t"]?.values.contains { $0 > world.now } == false }
        world.faults.notStarted = 0
        world.run(steps: 50)
        #expect(world.startOrder.isEmpty)
        world.calm()
        run(world) { world.startOrder == ["late"] }
        #expect(limits.permits["t"]?.values.contains { $0 > world.now } == true)
        world.run()
        #expect(world.results.count == 1 && world.violations == [])
    }

    @Test("a host asks for no permit of other hosts' before it has a slot for its task")
    func noSlot() {
        let task = options {
            $0.maxConcurrent = 3
            $0.limitScope = .global
        }
        let world = SimulatedWorld(seed: 1, options: slots(2), task: task)
        let limits = SimulatedLimits()
        world.shared = limits
        world.duration = 10_000...10_000
        for number in 0..<6 { world.send("id-\(number)") }
        world.connect()
        world.run()
        #expect(limits.mostPermits == 2)
        #expect(world.results.count == 6 && world.core.limits.isEmpty && world.violations == [])
    }

    @Test("hosts of URLs are told apart by what counts")
    func domains() {
        #expect(LimitKey.domain(of: "https://me:pw@Example.org:8080/x?y#z") == "example.org")
        #expect(LimitKey.domain(of: "http://[::1]:80/") == "[::1]")
        #expect(LimitKey.domain(of: "example.org/path") == "example.org")
        #expect(LimitKey("url:host") == nil && LimitKey("") == nil && LimitKey(":domain") == nil)
        #expect(LimitKey("url:domain") != nil && LimitKey("0") != nil)
    }

    @Test("a failed, crashed or lost task releases its permit", arguments: 1...100 as ClosedRange<UInt64>)
    func faults(seed: UInt64) {
        let world = SimulatedWorld(
            seed: seed, options: slots(4), task: options { $0.maxConcurrent = 1 },
            faults: .init(
                linkLoss: 0.02, storeFailure: 0.1, crash: 0.1, notStarted: 0.1, runnerFault: 0.05, taskFailure: 0.1))
        for number in 0..<15 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: 200)
        world.calm()
        world.run()
        #expect(world.mostRunning <= 1 && world.unsettled.isEmpty && world.waiting.isEmpty)
        #expect(world.core.limits.isEmpty && world.violations == [])
    }

    @Test(
        "two hosts together never run more than may, though hosts die", arguments: 1...100 as ClosedRange<UInt64>)
    func acrossHosts(seed: UInt64) {
        let task = options {
            $0.maxConcurrent = 2
            $0.limitScope = .global
        }
        let limits = SimulatedLimits()
        let worlds = [0, 1].map { number in
            let world = SimulatedWorld(
                seed: seed * 2 + UInt64(number), options: slots(4), task: task,
                faults: .init(linkLoss: 0.01, hostDeath: 0.01, storeFailure: 0.05, notStarted: 0.05, returned: 0.1),
                name: "host-\(number)")
            world.shared = limits
            // Every other time so long that leases must be renewed.
            if seed.isMultiple(of: 2) { world.duration = 1...25_000 }
            for index in 0..<12 { world.send("\(number)-\(index)") }
            world.connect()
            return world
        }
        var most = 0
        // One clock for both: whoever's event is next.
        for step in 0..<100_000 {
            if step == 400 { for world in worlds { world.calm() } }
            let next = worlds.min {
                ($0.events.nextAt ?? .max) < ($1.events.nextAt ?? .max)
            }
            guard let next, !next.events.isEmpty else { break }
            next.run(steps: 1)
            for world in worlds { world.now = next.now }
            most = max(most, worlds.reduce(0) { $0 + $1.running.count })
        }
        #expect(most <= 2)
        for world in worlds {
            #expect(world.results.count == 12 && world.results.values.allSatisfy { $0 == .success })
            #expect(world.unsettled.isEmpty && world.waiting.isEmpty && world.violations == [])
        }
    }

    @Test("nothing starts while no store can grant it, and a stop requeues it")
    func unreachable() {
        let task = options {
            $0.maxConcurrent = 1
            $0.limitScope = .global
        }
        let world = SimulatedWorld(seed: 1, options: slots(2), task: task)
        for number in 0..<3 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: 50)
        #expect(world.starts.isEmpty)
        world.post(.stop(.warm))
        world.run()
        #expect(world.stopped && world.unsettled.isEmpty && world.waiting.count == 3)
    }
}
