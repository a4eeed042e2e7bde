// Slots that change while tasks run: by command, and by demand.
import Ports
import TaskModel
import Testing

@testable import Engine

private func options(slots: Int = 2, autoscale: SlotRange? = nil) -> EngineOptions {
    var options = EngineOptions.usual(
        slots: slots, queues: [QueuePreference(declaration: QueueDeclaration(name: "q"))], nodeName: "sim@test")
    options.autoscale = autoscale
    return options
}

@Suite("Slots by command")
struct SlotsByCommandTests {
    @Test("more slots are used at once")
    func grows() {
        let world = SimulatedWorld(seed: 1)
        world.duration = 1_000...1_000
        for number in 0..<10 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: 4)
        #expect(world.running.count == 2)
        world.post(.changeSlots(by: 3))
        world.run(steps: 4)
        #expect(world.running.count == 5 && world.slots == 5)
        world.run()
        #expect(world.violations == [] && world.results.count == 10)
    }

    @Test("fewer slots end nothing, and start no more until there is room")
    func shrinks() {
        let world = SimulatedWorld(seed: 1, options: options(slots: 4))
        world.duration = 1_000...1_000
        for number in 0..<10 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: 8)
        #expect(world.running.count == 4)
        world.post(.changeSlots(by: -3))
        #expect(world.running.count == 4 && world.slots == 1)
        world.run()
        #expect(world.violations == [])
        #expect(world.starts.values.allSatisfy { $0 == 1 } && world.results.values.allSatisfy { $0 == .success })
    }

    @Test("one slot is left, and no number is too large", arguments: [-1, -7, Int.min, 1, Int.max])
    func bounds(change: Int) {
        let world = SimulatedWorld(seed: 1)
        world.post(.changeSlots(by: change))
        #expect(world.slots == (change == 1 ? 3 : change < 0 ? 1 : 4096))
        #expect(world.core.scaling.slots == world.slots)
    }

    @Test("credit follows the slots, up and down")
    func credit() {
        let world = SimulatedWorld(seed: 1)
        world.connect()
        let before = world.credit
        world.post(.changeSlots(by: 6))
        #expect(world.credit >= before + 6)
        world.post(.changeSlots(by: -6))
        // The look-ahead goes down with the rate.
        #expect(world.credit < before + 6 + 2)
    }

    @Test(
        "whatever crashes, and however often the slots change, nothing is lost and no more run than there are slots",
        arguments: Array(1...500) as [UInt64])
    func crashes(seed: UInt64) {
        let faults = SimulatedWorld.Faults(
            linkLoss: 0.02, hostDeath: 0.005, storeFailure: 0.1, publishFailure: 0.1, crash: 0.05, notStarted: 0.05,
            runnerFault: 0.05, retry: 0.1)
        let world = SimulatedWorld(seed: seed, faults: faults)
        for number in 0..<40 { world.send("id-\(number)") }
        world.connect()
        for _ in 0..<60 {
            world.run(steps: 10)
            world.post(.changeSlots(by: Int.random(in: -3...3, using: &world.random)))
        }
        world.calm()
        world.run()
        #expect(world.violations == [], "seed \(seed)")
        #expect(world.waiting.isEmpty && world.unsettled.isEmpty)
        for number in 0..<40 { #expect(world.results["id-\(number)"]?.isFinal == true, "id-\(number), seed \(seed)") }
    }
}

@Suite("Slots by demand")
struct SlotsByDemandTests {
    private let range = SlotRange(min: 1, max: 4)

    private func world(seed: UInt64 = 1) -> SimulatedWorld {
        SimulatedWorld(seed: seed, options: options(slots: 1, autoscale: range))
    }

    @Test("what waits for a slot gets one at once, up to the most")
    func up() {
        let world = world()
        world.duration = 1_000...1_000
        for number in 0..<10 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: 1)
        #expect(world.slots == 4 && world.running.count == 4)
    }

    @Test("slots that were idle for 30 s go, and not before")
    func down() {
        let world = world()
        world.duration = 100...100
        for number in 0..<4 { world.send("id-\(number)") }
        world.connect()
        while world.results.count < 4 { world.run(steps: 1) }
        let done = world.now
        while world.now < done + 29_000_000_000, world.slots == 4, world.timers[.scale] != nil { world.run(steps: 1) }
        world.run()
        #expect(world.slots == 1)
        #expect(world.now >= done + 29_000_000_000 && world.now <= done + 31_000_000_000)
        #expect(world.violations == [])
    }

    @Test("slots in use stay, however long their tasks take")
    func busy() {
        let world = world()
        world.duration = 100_000...100_000
        for number in 0..<3 { world.send("id-\(number)") }
        world.connect()
        while world.now < 91_000_000_000 { world.run(steps: 1) }
        #expect(world.slots == 3 && world.running.count == 3)
        world.run()
        #expect(world.slots == 1 && world.results.count == 3)
    }

    @Test("new bounds hold at once")
    func bounds() {
        let world = world()
        world.connect()
        world.post(.setAutoscale(SlotRange(min: 3, max: 6)))
        #expect(world.slots == 3 && world.credit >= 6)
        world.post(.setAutoscale(SlotRange(min: 1, max: 2)))
        #expect(world.slots == 2)
        world.post(.changeSlots(by: 5))
        #expect(world.slots == 2, "demand decides, not commands")
        world.run()
        #expect(world.slots == 1)
    }

    @Test("a stop ends the waiting for idle slots")
    func stop() {
        let world = world()
        for number in 0..<4 { world.send("id-\(number)") }
        world.connect()
        while world.results.count < 4 { world.run(steps: 1) }
        world.post(.stop(.warm))
        #expect(world.timers[.scale] == nil)
        world.run()
        #expect(world.stopped)
    }

    @Test("crashes on the way lose nothing", arguments: Array(1...300) as [UInt64])
    func crashes(seed: UInt64) {
        let faults = SimulatedWorld.Faults(linkLoss: 0.02, hostDeath: 0.01, crash: 0.05, notStarted: 0.05, retry: 0.1)
        let world = SimulatedWorld(seed: seed, options: options(slots: 1, autoscale: range), faults: faults)
        for number in 0..<40 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: 500)
        world.calm()
        world.run()
        #expect(world.violations == [], "seed \(seed)")
        for number in 0..<40 { #expect(world.results["id-\(number)"]?.isFinal == true, "id-\(number), seed \(seed)") }
        #expect(world.slots == 1)
    }
}
