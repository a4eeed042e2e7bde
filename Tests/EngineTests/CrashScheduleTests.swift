// Seeded schedules of crashes, lost links, failed stores and lost confirms: what was sent always comes to its end.
import CeleryWire
import TaskModel
import Testing

@testable import Engine

@Suite("Crash schedules")
struct CrashScheduleTests {
    static let seeds: [UInt64] = Array(1...1_000)

    @Test("every task sent has a final result, whatever crashes on the way", arguments: seeds)
    func nothingIsLost(seed: UInt64) {
        let faults = SimulatedWorld.Faults(
            linkLoss: 0.02, storeFailure: 0.1, publishFailure: 0.1, confirmLost: 0.05, crash: 0.1, notStarted: 0.05,
            returned: 0.1,
            runnerFault: 0.05, taskFailure: 0.05, retry: 0.1)
        let world = SimulatedWorld(seed: seed, faults: faults)
        for number in 0..<40 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: 600)
        world.calm()
        world.run()
        #expect(world.violations == [])
        #expect(world.core.inFlight.isEmpty && world.core.inFlight.runsNothing)
        #expect(world.waiting.isEmpty && world.unsettled.isEmpty)
        for number in 0..<40 { #expect(world.results["id-\(number)"]?.isFinal == true, "id-\(number), seed \(seed)") }
    }

    @Test("a host that dies at any moment loses nothing, and only what was in flight runs again", arguments: seeds)
    func survivesHostDeath(seed: UInt64) {
        let world = SimulatedWorld(seed: seed, faults: .init(hostDeath: 0.02))
        for number in 0..<40 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: 300)
        world.calm()
        world.run()
        #expect(world.violations == [])
        #expect(world.waiting.isEmpty && world.unsettled.isEmpty)
        for number in 0..<40 { #expect(world.results["id-\(number)"] == .success, "id-\(number), seed \(seed)") }
        let extra = world.starts.values.reduce(0, +) - 40
        #expect(extra <= world.mostInFlightAtDeaths, "\(extra) extra starts, seed \(seed)")
    }

    @Test("a killed broker forgets acknowledgements, and what has succeeded is not run again", arguments: 0..<400)
    func brokerForgets(seed: UInt64) {
        let world = SimulatedWorld(seed: seed, faults: .init(crash: 0.1))
        for number in 0..<40 { world.send("id-\(number)") }
        world.connect()
        for _ in 0..<3 {
            world.run(steps: Int.random(in: 20...150, using: &world.random))
            let done = world.results.filter { $0.value == .success }.keys
            let before = world.starts
            // The same host knows what it settled; a new one has the store to ask.
            if seed % 2 == 1 { world.killHost() }
            world.killBroker()
            world.run(steps: 400)
            for id in done { #expect(world.starts[id] == before[id], "\(id) ran again, seed \(seed)") }
        }
        world.calm()
        world.run()
        #expect(world.violations == [] && world.waiting.isEmpty && world.unsettled.isEmpty)
        for number in 0..<40 { #expect(world.results["id-\(number)"]?.isFinal == true, "id-\(number), seed \(seed)") }
    }

    @Test(
        "without faults each task starts once and no more run than there are slots", arguments: [1, 2, 3] as [UInt64])
    func onceEach(seed: UInt64) {
        let world = SimulatedWorld(seed: seed)
        for number in 0..<100 { world.send("id-\(number)") }
        world.connect()
        world.run()
        #expect(world.starts.count == 100 && world.starts.values.allSatisfy { $0 == 1 })
        #expect(world.mostRunning == 2)
        #expect(world.results.values.allSatisfy { $0 == .success })
    }

    @Test("a lost link alone makes nothing run twice while its host lives", arguments: seeds)
    func adoptedAfterLinkLoss(seed: UInt64) {
        let world = SimulatedWorld(seed: seed, faults: .init(linkLoss: 0.03))
        for number in 0..<40 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: 400)
        world.calm()
        world.run()
        #expect(world.starts.values.allSatisfy { $0 == 1 }, "seed \(seed)")
        #expect(world.results.count == 40 && world.unsettled.isEmpty && world.waiting.isEmpty)
    }

    @Test("a task that always crashes is dead-lettered after three starts with a result that says so")
    func poisonIsDeadLettered() {
        let world = SimulatedWorld(seed: 1, faults: .init(crash: 1))
        world.send("poison")
        world.connect()
        world.run()
        #expect(world.starts["poison"] == 3)
        #expect(world.dead.count == 1)
        #expect(world.results["poison"] == .failure)
    }

    @Test("a stop in the middle requeues what does not run and charges no task", arguments: seeds)
    func stopsClean(seed: UInt64) {
        let world = SimulatedWorld(seed: seed)
        for number in 0..<30 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: 20)
        world.post(.stop(seed % 2 == 0 ? .warm : .cold))
        world.run()
        #expect(world.stopped && world.violations == [])
        #expect(world.unsettled.isEmpty)
        let back = Set(world.waiting.compactMap { $0.message.headers["id"]?.text })
        for number in 0..<30 {
            let id = "id-\(number)"
            #expect(back.contains(id) != (world.results[id] == .success), "\(id) is either done or back")
        }
        for message in world.waiting { #expect(message.message.headers["taskhost-starts"] == nil) }
    }

    @Test("the newest of higher priority starts within the next few")
    func priorityOvertakes() throws {
        let world = SimulatedWorld(seed: 4)
        for number in 0..<1_000 { world.send("low-\(number)") }
        world.connect()
        world.run(steps: 200)
        let before = world.startOrder.count
        world.send("high", priority: 9)
        world.run()
        let position = try #require(world.startOrder.firstIndex(of: "high"))
        #expect(position - before <= 8, "it started as number \(position - before) after it was sent")
    }
}
