// Stopping: nothing more is taken, what runs has its time and no more, and every stop ends.
import CeleryWire
import Ports
import TaskModel
import Testing

@testable import Engine

@Suite("Stopping")
struct StopTests {
    /// Runs one task that takes `milliseconds`; the others wait.
    private func busy(
        _ milliseconds: UInt64, grace: Double = 30, soft: Double = 0, tasks: Int = 5, body: String = "[[],{},{}]",
        outcome: Outcome = .success(Array("1".utf8))
    ) -> SimulatedWorld {
        var options = EngineOptions.usual(
            slots: 1, queues: [QueuePreference(declaration: QueueDeclaration(name: "q"))], nodeName: "sim@test")
        options.graceSeconds = grace
        options.softStopSeconds = soft
        let world = SimulatedWorld(seed: 1, options: options)
        world.duration = milliseconds...milliseconds
        for number in 0..<tasks { world.send("id-\(number)", body: body) }
        world.returns = { _ in outcome }
        world.connect()
        while world.running.isEmpty { world.run(steps: 1) }
        return world
    }

    private func seconds(of world: SimulatedWorld, until isSo: () -> Bool) -> Double {
        let began = world.now
        for _ in 0..<1000 where !isSo() { world.run(steps: 1) }
        return Double(world.now - began) / 1e9
    }

    @Test("nothing more is taken, and what a broker sends all the same is requeued")
    func takesNothing() throws {
        let world = busy(1_000)
        world.post(.stop(.warm))
        try #require(!world.consumes)
        #expect(world.unsettled.count == 1 && world.waiting.count == 4)
        let message = world.waiting.removeFirst().message
        let tag = DeliveryTag(link: world.link, number: world.lastTag + 1)
        world.unsettled[tag] = message
        world.post(
            .delivered(
                Delivery(
                    tag: tag, queue: "q", exchange: "", routingKey: "q", redelivered: true, message: message)))
        #expect(world.unsettled.count == 1 && world.waiting.count == 4 && world.core.inFlight.count == 1)
        world.run(steps: 100)
        #expect(world.stopped && world.results == ["id-0": .success])
    }

    @Test("what runs is ended when its time is over", arguments: [(StopKind.warm, 7.0), (.soft, 3.0), (.cold, 0.0)])
    func timeIsOver(kind: StopKind, limit: Double) {
        let world = busy(600_000, grace: 7, soft: 3)
        world.post(.stop(kind))
        let lasted = seconds(of: world) { world.stopped }
        #expect(world.stopped && world.results.isEmpty && world.waiting.count == 5)
        #expect(lasted >= limit && lasted < limit + 1, "on the world's clock")
    }

    @Test("a harder stop leaves what runs no more time than the one before it had")
    func noMoreTime() {
        let world = busy(600_000, grace: 7, soft: 100)
        world.post(.stop(.warm))
        world.post(.stop(.soft))
        #expect(seconds(of: world) { world.stopped } < 8)
        #expect(world.stopped)
    }

    @Test("a stop never becomes a softer one")
    func neverSofter() {
        let world = busy(600_000, soft: 3)
        world.post(.stop(.soft))
        world.post(.stop(.warm))
        #expect(world.core.life.stopping == .soft)
        #expect(seconds(of: world) { world.stopped } < 4)
        #expect(world.stopped)
    }

    @Test("a cold stop ends though what ran cannot be recorded: the broker delivers it again")
    func abandons() {
        let world = busy(50, tasks: 1)
        world.faults.storeFailure = 1
        // Its result finds no store.
        _ = seconds(of: world) { world.running.isEmpty }
        world.post(.stop(.cold))
        let lasted = seconds(of: world) { world.stopped }
        #expect(world.stopped && world.unsettled.count == 1 && world.acknowledged.isEmpty)
        #expect(lasted < 6, "on the world's clock")
    }

    @Test("an errback that is due after a cold stop does not keep it")
    func lateErrback() {
        let failure = TaskFailure(type: "ValueError", module: "builtins", arguments: Array("[]".utf8))
        let errbacks = #"[{"task":"errback","args":[],"kwargs":{},"options":{}}]"#
        let world = busy(50, tasks: 1, body: #"[[],{},{"errbacks":\#(errbacks)}]"#, outcome: .failure(failure))
        world.duration = 600_000...600_000
        // Its failure is on its way to the store; the errback comes next.
        _ = seconds(of: world) { world.running.isEmpty }
        #expect(world.startOrder == ["id-0"])
        world.post(.stop(.cold))
        #expect(seconds(of: world) { world.stopped } < 4)
        #expect(world.stopped)
    }
}
