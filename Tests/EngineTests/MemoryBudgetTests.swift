// How much is held is bounded, in bytes and in number, and everything still runs.
import CeleryWire
import Ports
import TaskModel
import Testing

@testable import Engine

@Suite("The budget of what is held")
struct HeldBudgetTests {
    private func options(_ change: (inout EngineOptions) -> Void) -> EngineOptions {
        var options = EngineOptions.usual(
            slots: 2, queues: [QueuePreference(declaration: QueueDeclaration(name: "q"))], nodeName: "sim@test")
        options.prefetchPerSlot = 50
        change(&options)
        return options
    }

    @Test("usual messages share the budget, large ones are held one at a time")
    func rules() {
        var budget = MemoryBudget(maxBytes: 100, maxWaiting: 2)
        #expect(budget.hasRoom(for: 50))
        budget.takes(50)
        budget.takes(50)
        #expect(!budget.hasRoom(for: 1))
        #expect(budget.hasRoom(for: 500))
        budget.takes(500)
        #expect(!budget.hasRoom(for: 51))
        budget.overflows()
        budget.releases(50)
        let tooEarly = budget.reopens()
        budget.releases(500)
        let (inTime, twice) = (budget.reopens(), budget.reopens())
        #expect(!tooEarly && inTime && !twice && !budget.isFull)
    }

    @Test("a backlog of large bodies is never held beyond the budget, and all of it runs", arguments: 1...8)
    func bytes(seed: UInt64) {
        let most = 1 << 16
        let world = SimulatedWorld(
            seed: seed, options: options { $0.maxHeldBytes = most },
            faults: .init(linkLoss: 0.01, storeFailure: 0.05, publishFailure: 0.05, crash: 0.05))
        let sizes = [100, 6_000, 18_000, 40_000, 55_000]
        for number in 0..<60 {
            let size = sizes[number % sizes.count]
            world.send("m\(number)", body: "[[\"\(String(repeating: "x", count: size))\"],{},{}]")
        }
        world.returns = { [unowned world] _ in
            let sizes = world.core.inFlight.values.map(\.size)
            let small = sizes.filter { $0 <= most / 2 }.reduce(0, +)
            #expect(small <= most && sizes.count - sizes.filter { $0 <= most / 2 }.count <= 1)
            return .success([UInt8(ascii: "1")])
        }
        world.connect()
        world.run(steps: 300)
        world.calm()
        world.run()
        #expect((0..<60).allSatisfy { world.results["m\($0)"]?.isFinal == true })
        #expect(world.violations == [] && world.unsettled.isEmpty && world.waiting.isEmpty)
        #expect(world.core.intake.hasRoom(bodyBytes: most / 2 - MemoryBudget.overhead) && world.core.inFlight.isEmpty)
    }

    @Test("what is not due yet is held up to a number; the rest waits in the broker, and none starts too early")
    func waiting() {
        let world = SimulatedWorld(seed: 3, options: options { $0.maxWaiting = 10 })
        let due = ISO8601.format(world.clocks.wall.advanced(bySeconds: 30))
        var most = 0
        for number in 0..<500 { world.send("w\(number)", headers: ["eta": .string(due)]) }
        world.send("now")
        world.returns = { [unowned world] request in
            if request.id == "now" { most = world.core.inFlight.count }
            #expect(request.id == "now" || world.now >= 31_000_000_000)
            return .success([UInt8(ascii: "1")])
        }
        world.connect()
        world.run()
        // Beside those that wait, what the usual credit lets come: 2 slots and 50 for each.
        #expect(most <= 10 + 102)
        #expect((0..<500).allSatisfy { world.results["w\($0)"] == .success })
        #expect(world.violations == [] && world.core.intake.delaysNothing)
    }

    @Test("a body that was left unread goes back, and nothing is taken until there is room")
    func unread() {
        let world = SimulatedWorld(seed: 1, options: options { _ in })
        world.connect()
        world.post(
            .delivered(
                Delivery(
                    tag: DeliveryTag(link: 1, number: 900), queue: "q", exchange: "", routingKey: "q",
                    redelivered: false, message: WireMessage(body: []), unreadBytes: 1 << 30)))
        // Nothing else is held, so that it is open again at once.
        #expect(world.core.inFlight.isEmpty && !world.core.intake.isClosed("q"))
    }
}
