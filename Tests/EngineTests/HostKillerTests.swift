// Tasks that kill their host: they are recognised and dead-lettered, and no task beside them is.
import CeleryWire
import Ports
import TaskModel
import Testing

@testable import Engine

@Suite("Tasks that kill their host")
struct HostKillerTests {
    private func world(_ books: StartCounting, slots: Int, seed: UInt64) -> SimulatedWorld {
        let options = EngineOptions.usual(
            slots: slots, queues: [QueuePreference(declaration: QueueDeclaration(name: "q"))], nodeName: "sim@test")
        let world = SimulatedWorld(seed: seed, options: options)
        world.beginCountingStarts(books)
        return world
    }

    private func deadLettered(_ world: SimulatedWorld) -> Set<String> {
        Set(world.dead.compactMap { $0.headers["id"]?.text })
    }

    @Test(
        "a killer is dead-lettered after three starts, its neighbours end uncharged",
        arguments: 1...60 as ClosedRange<UInt64>
    )
    func amongNeighbours(seed: UInt64) {
        for books in [StartCounting.broker, .store] {
            let world = world(books, slots: 4, seed: seed)
            world.starting.hostKillers = ["killer"]
            for number in 1...6 { world.send("good-\(number)") }
            world.send("killer")
            for number in 7...20 { world.send("good-\(number)") }
            world.connect()
            world.run()
            #expect(deadLettered(world) == ["killer"], "\(books), seed \(seed)")
            #expect(world.results["killer"] == .failure)
            // The store is asked from the second start on.
            let most = books == .broker ? 3 : 4
            #expect(world.starts["killer"] == most, "\(books), seed \(seed)")
            for number in 1...20 {
                #expect(world.results["good-\(number)"] == .success, "good-\(number), \(books), seed \(seed)")
                // Once more for each time it ran beside the killer while none was suspected, or was not settled yet.
                #expect((world.starts["good-\(number)"] ?? 0) <= (books == .broker ? 3 : 4))
            }
            #expect(world.violations == [] && world.waiting.isEmpty && world.unsettled.isEmpty)
            #expect(world.starting.counters.isEmpty)
        }
    }

    @Test("what was only in flight when its host died is charged nothing, however often")
    func onlyHeld() throws {
        for books in [StartCounting.broker, .store] {
            let world = world(books, slots: 1, seed: 7)
            world.starting.hostKillers = ["killer"]
            world.send("killer")
            for number in 1...5 { world.send("good-\(number)") }
            world.connect()
            world.run()
            #expect(deadLettered(world) == ["killer"])
            for number in 1...5 { #expect(world.starts["good-\(number)"] == 1) }
            let dead = try #require(world.dead.first)
            let report = try #require(Republication.deadReport(of: dead))
            #expect(report.reason.contains("its host died 3 times while it ran"), "\(report.reason)")
            #expect(report.verdict == "poison")
        }
    }

    @Test(
        "several killers are each dead-lettered, one suspect running at a time",
        arguments: 1...50 as ClosedRange<UInt64>)
    func several(seed: UInt64) {
        let world = world(.broker, slots: 3, seed: seed)
        world.starting.hostKillers = ["k1", "k2"]
        for id in ["k1", "g1", "k2", "g2", "g3", "g4"] { world.send(id) }
        world.connect()
        world.run()
        #expect(deadLettered(world) == ["k1", "k2"], "seed \(seed)")
        for id in ["g1", "g2", "g3", "g4"] { #expect(world.results[id] == .success, "\(id), seed \(seed)") }
        #expect(world.violations == [])
    }

    @Test(
        "hosts that die by themselves dead-letter no task within three deaths", arguments: 1...60 as ClosedRange<UInt64>
    )
    func otherDeaths(seed: UInt64) {
        for books in [StartCounting.broker, .store] {
            let world = world(books, slots: 2, seed: seed)
            for number in 0..<30 { world.send("id-\(number)") }
            world.connect()
            for _ in 0..<2 {
                world.run(steps: 60)
                world.killHost()
            }
            world.run()
            #expect(world.dead.isEmpty, "\(books), seed \(seed)")
            for number in 0..<30 { #expect(world.results["id-\(number)"] == .success) }
            #expect(world.violations == [] && world.starting.counters.isEmpty)
        }
    }

    @Test(
        "what a stop requeues is not charged, though its start was recorded",
        arguments: 1...50 as ClosedRange<UInt64>)
    func stops(seed: UInt64) {
        let world = world(.store, slots: 2, seed: seed)
        for number in 0..<20 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: 30)
        world.breakLink()
        world.run(steps: 10)
        world.post(.stop(.cold))
        world.run()
        #expect(world.stopped && world.violations == [])
        #expect(world.starting.counters.isEmpty, "seed \(seed)")
    }
}

@Suite("Claims")
struct ClaimTests {
    @Test(
        "an outcome that comes after others took over is dropped: nothing is recorded twice",
        arguments: 1...100 as ClosedRange<UInt64>)
    func lateOutcomes(seed: UInt64) {
        let world = SimulatedWorld(seed: seed, faults: .init(linkLoss: 0.03))
        world.fenceClaims()
        for number in 0..<40 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: 400)
        world.calm()
        world.run()
        #expect(world.violations == [] && world.waiting.isEmpty && world.unsettled.isEmpty)
        for number in 0..<40 {
            #expect(world.results["id-\(number)"] == .success)
            #expect(world.finalStates["id-\(number)"]?.count == 1, "id-\(number), seed \(seed)")
        }
    }

    @Test("what ends after its link was lost is neither recorded nor followed by anything, with brokers that fence")
    func lateOutcome() {
        for fences in [true, false] {
            let world = SimulatedWorld(seed: 1)
            if fences { world.fenceClaims() }
            world.send("late", body: #"[[],{},{"callbacks":[{"task":"t","options":{"task_id":"next"}}]}]"#)
            world.connect()
            while world.running.isEmpty { world.run(steps: 1) }
            world.consumes = false
            world.breakLink()
            let run = world.running.keys.first!
            world.running[run] = nil
            var actions: [EngineAction] = []
            world.core.handle(
                .finished(run, RunReport(outcome: .success(Array("1".utf8)))), at: world.clocks, into: &actions)
            let getsOut = actions.contains {
                switch $0 {
                case .store, .publish: true
                default: false
                }
            }
            #expect(getsOut == !fences)
        }
    }

    @Test("a step that the broker refuses because others have the message ends the settlement, and nothing else")
    func refusedStep() {
        let world = SimulatedWorld(seed: 1)
        world.fenceClaims()
        world.send("late")
        world.connect()
        while world.running.isEmpty { world.run(steps: 1) }
        world.consumes = false
        let run = world.running.keys.first!
        let id = world.core.inFlight[run: run]!.id
        world.running[run] = nil
        var actions: [EngineAction] = []
        world.core.handle(
            .finished(run, RunReport(outcome: .success(Array("1".utf8)))), at: world.clocks, into: &actions)
        world.core.handle(.claimLost(id), at: world.clocks, into: &actions)
        let isAcknowledged = actions.contains { if case .acknowledge = $0 { true } else { false } }
        #expect(world.core.inFlight.isEmpty && !isAcknowledged)
    }
}
