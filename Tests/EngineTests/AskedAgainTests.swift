// Redelivered messages that had to wait: whether a copy of them has succeeded meanwhile is asked before they start.
import Ports
import TaskModel
import Testing

@testable import Engine

@Suite("Messages delivered again that had to wait")
struct AskedAgainTests {
    private static let success = Array(#"{"status":"SUCCESS","result":7,"children":[],"task_id":"copy"}"#.utf8)

    private func world(seed: UInt64 = 1, slots: Int = 1) -> SimulatedWorld {
        let options = EngineOptions.usual(
            slots: slots, queues: [QueuePreference(declaration: QueueDeclaration(name: "q"))], nodeName: "sim@test")
        return SimulatedWorld(seed: seed, options: options)
    }

    /// "copy" waits behind "long", and the store has said already that it is not done.
    private func waitingCopy() -> SimulatedWorld {
        let world = world()
        world.duration = 1_000...1_000
        world.send("long")
        world.send("copy")
        world.send("last")
        world.waiting[1].redelivered = true
        world.connect()
        for _ in 0..<1000 where !world.core.inFlight.values.contains(where: { $0.notDoneAt != nil }) {
            world.run(steps: 1)
        }
        // "last" comes behind it while "long" still runs.
        world.credit = 3
        world.deliver()
        return world
    }

    @Test("one that succeeded elsewhere while it waited for a slot is not run")
    func succeededMeanwhile() {
        let world = waitingCopy()
        world.metas["copy"] = Self.success
        world.run()
        #expect(world.startOrder == ["long", "last"])
        #expect(world.acknowledged.count == 3 && world.violations == [])
    }

    @Test("one that is still not done keeps its place")
    func keepsItsPlace() {
        let world = waitingCopy()
        world.run()
        #expect(world.startOrder == ["long", "copy", "last"])
    }

    @Test("one that is revoked while the store is asked is not run")
    func revokedMeanwhile() {
        let world = waitingCopy()
        for _ in 0..<1000 where world.core.inFlight.checkCount == 0 { world.run(steps: 1) }
        world.post(.revoke(["copy"], terminate: nil))
        world.run()
        #expect(world.startOrder == ["long", "last"] && world.results["copy"] == .revoked)
    }

    @Test("one the store is asked about goes back if its queue is paused or the worker ends", arguments: [true, false])
    func requeuedAtStop(pauses: Bool) {
        let world = waitingCopy()
        for _ in 0..<1000 where world.core.inFlight.checkCount == 0 { world.run(steps: 1) }
        world.post(pauses ? .pauseQueue("q") : .stop(.warm))
        world.run()
        #expect(world.startOrder == ["long"] && world.waiting.count == 2 && world.core.inFlight.checkCount == 0)
        #expect(world.stopped == !pauses)
    }

    @Test("questions keep to the slots, and none is left over when links break", arguments: 0..<100)
    func schedules(seed: UInt64) {
        let world = world(seed: seed, slots: 3)
        world.duration = 3...300
        for number in 0..<40 { world.send("id-\(number)") }
        for index in world.waiting.indices where world.chance(0.7) { world.waiting[index].redelivered = true }
        world.faults = .init(linkLoss: 0.01)
        world.connect()
        world.run(steps: 300)
        world.calm()
        world.run()
        #expect(world.violations == [] && world.core.inFlight.checkCount == 0 && world.core.inFlight.isEmpty)
        #expect(world.unsettled.isEmpty && world.waiting.isEmpty)
        for number in 0..<40 { #expect(world.results["id-\(number)"] == .success) }
    }
}
