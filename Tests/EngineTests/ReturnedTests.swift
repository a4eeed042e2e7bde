// Runs that come back from the runner without having begun: they are looked at again before they start.
import CeleryWire
import Ports
import TaskModel
import Testing

@testable import Engine

@Suite("Returned runs")
struct ReturnedTests {
    @Test("a run that finds no place keeps its turn and is not charged", arguments: 1...50 as ClosedRange<UInt64>)
    func keepsItsTurn(seed: UInt64) {
        let world = SimulatedWorld(seed: seed, faults: .init(returned: 0.5))
        for number in 0..<20 { world.send("id-\(number)") }
        world.connect()
        world.run()
        #expect(world.results.count == 20 && world.results.values.allSatisfy { $0 == .success })
        #expect(world.starts.values.allSatisfy { $0 == 1 } && world.violations.isEmpty)
        // Of those that had come none is overtaken by more than the other slot.
        for (place, id) in world.startOrder.enumerated() where world.startOrder.count == 20 {
            #expect(abs(place - Int(id.dropFirst(3))!) <= 2)
        }
    }

    @Test("one that has expired when it comes back is REVOKED and never starts")
    func expires() {
        let world = SimulatedWorld(seed: 1, faults: .init(returned: 1))
        let soon = world.clocks.wall.advanced(bySeconds: 0.5)
        world.send("late", headers: ["expires": .string(ISO8601.format(soon))])
        world.connect()
        world.run()
        #expect(world.starts["late"] == nil && world.results["late"] == .revoked && world.unsettled.isEmpty)
    }

    @Test("revoked before it has begun it is taken back and never starts", arguments: 1...20 as ClosedRange<UInt64>)
    func revoked(seed: UInt64) {
        let world = SimulatedWorld(seed: seed)
        world.recalls = true
        world.send("no")
        world.send("yes")
        world.connect()
        while world.running.isEmpty { world.run(steps: 1) }
        guard world.begun.isEmpty else { return }
        world.post(.revoke(["no"], terminate: nil))
        world.run()
        #expect(world.results["no"] == .revoked || world.starts["no"] == 1)
        #expect(world.results["yes"] == .success && world.unsettled.isEmpty)
    }

    @Test(
        "what has not begun when its queue is paused is requeued; whatever comes first, nothing is lost",
        arguments: 1...50 as ClosedRange<UInt64>)
    func paused(seed: UInt64) {
        let world = SimulatedWorld(seed: seed, faults: .init(linkLoss: 0.02, returned: 0.2))
        world.recalls = true
        for number in 0..<10 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: Int(seed % 17))
        world.post(.pauseQueue("q"))
        world.run()
        #expect(world.unsettled.isEmpty && world.core.inFlight.isEmpty)
        world.post(.resumeQueue("q"))
        world.run()
        #expect(world.results.count == 10 && world.results.values.allSatisfy { $0 == .success })
        #expect(world.violations.isEmpty && world.waiting.isEmpty)
    }

    @Test("a slot that runs behind others leave free is given to any task")
    func freeSlot() {
        var behind = 0
        let manifest = TaskManifest(index: 0, name: "t", parameters: [], result: nil, options: TaskOptions())
        let options = EngineOptions.usual(
            slots: 2, queues: [QueuePreference(declaration: QueueDeclaration(name: "q"))], nodeName: "sim@test")
        var core = EngineCore(
            options: options,
            catalog: EngineCore.Catalog(
                task: { _ in manifest }, pipeline: { _ in PipelineRoom(behind: behind, room: 0) }),
            hasStore: false, keepsResults: false, joinsChords: false, notesTasks: false, makeID: { "id" })
        let clocks = Clocks(monotonic: Instant(nanoseconds: 0), wall: WallTime(microseconds: 0))
        var actions: [EngineAction] = []
        core.handle(.linkUp, at: clocks, into: &actions)
        func deliver(_ number: UInt64) -> Int {
            actions = []
            var properties = MessageProperties()
            properties.contentType = "application/json"
            properties.contentEncoding = "utf-8"
            let message = WireMessage(
                properties: properties, headers: ["task": .string("t"), "id": .string("id-\(number)")],
                body: Array("[[],{},{}]".utf8))
            core.handle(
                .delivered(
                    Delivery(
                        tag: DeliveryTag(link: 1, number: number), queue: "q", exchange: "", routingKey: "q",
                        redelivered: false, message: message)), at: clocks, into: &actions)
            return actions.reduce(0) { if case .start = $1 { $0 + 1 } else { $0 } }
        }
        #expect(deliver(1) == 1 && deliver(2) == 1 && deliver(3) == 0)
        behind = 1
        #expect(deliver(4) == 1, "one of the two lies behind the other, so a slot is free")
    }
}
