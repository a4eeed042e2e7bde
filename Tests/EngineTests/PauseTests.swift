// Pausing queues: what is requeued, what stays, and that nothing is lost on the way.
import CeleryWire
import Ports
import TaskModel
import Testing

@testable import Engine

@Suite("Pausing a queue")
struct PauseTests {
    @Test("what has not begun is requeued, what runs finishes, nothing new is taken; resumed, all is done")
    func pause() {
        let world = SimulatedWorld(seed: 1)
        world.duration = 1_000...1_000
        for number in 0..<20 { world.send("id-\(number)") }
        world.connect()
        // Both slots are taken, others wait for one.
        world.run(steps: 2)
        let begun = world.starts.count
        #expect(begun == 2 && world.unsettled.count > begun)
        world.post(.pauseQueue("q"))
        #expect(world.credit == 0)
        #expect(world.unsettled.count == begun && world.waiting.count == 20 - begun)
        #expect(world.core.inFlight.count == begun)
        world.send("late")
        world.run()
        #expect(world.results.count == begun && world.results.values.allSatisfy { $0 == .success })
        #expect(world.waiting.count == 21 - begun && world.unsettled.isEmpty)
        world.post(.resumeQueue("q"))
        world.run()
        #expect(world.results.count == 21 && world.results.values.allSatisfy { $0 == .success })
        #expect(world.starts.values.allSatisfy { $0 == 1 } && world.dead.isEmpty && world.violations.isEmpty)
        // Uncharged.
        #expect(world.acknowledged.allSatisfy { $0.headers["taskhost-starts"] == nil })
    }

    @Test("it stays paused when the link comes back, and a message that was under way is requeued")
    func reconnect() {
        let world = SimulatedWorld(seed: 1)
        world.connect()
        world.post(.pauseQueue("q"))
        world.breakLink()
        world.run()
        #expect(world.isLinkUp && world.credit == 0)
        world.send("early")
        // As a broker that does not know of it yet.
        let message = world.waiting.removeFirst().message
        let tag = DeliveryTag(link: world.link, number: 1)
        world.unsettled[tag] = message
        world.post(
            .delivered(
                Delivery(
                    tag: tag, queue: "q", exchange: "", routingKey: "q", redelivered: false, message: message)))
        #expect(world.starts.isEmpty && world.waiting.map(\.redelivered) == [true])
        world.post(.addQueue(QueueDeclaration(name: "q")))
        world.run()
        #expect(world.results["early"] == .success, "to consume it is to resume it")
    }

    @Test("paused before a restart, nothing is taken from the first link on; what is consumed no more is forgotten")
    func restart() {
        let world = SimulatedWorld(seed: 1)
        #expect(world.core.pauseAgain(["gone", "q"]) == ["q"])
        world.send("kept")
        world.connect()
        world.run()
        #expect(world.isLinkUp && world.credit == 0 && world.starts.isEmpty && world.waiting.count == 1)
        world.post(.resumeQueue("q"))
        world.run()
        #expect(world.results["kept"] == .success && world.core.intake.paused.isEmpty)
    }

    @Test("those that wait for their time or for a rate are requeued as well, and keep both")
    func waiting() {
        var task = TaskOptions()
        task.rateLimit = "1/s"
        let world = SimulatedWorld(seed: 1, task: task)
        let due = world.clocks.wall.advanced(bySeconds: 20)
        world.send("later", headers: ["eta": .string(ISO8601.format(due))])
        for number in 0..<4 { world.send("id-\(number)") }
        world.connect()
        world.deliver()
        let held = world.core.inFlight.count
        world.post(.pauseQueue("q"))
        #expect(held == 5 && world.core.inFlight.count == 1 && world.waiting.count == 4)
        world.run()
        #expect(world.results.count == 1)
        world.post(.resumeQueue("q"))
        world.run()
        #expect(world.results.count == 5)
        let begun = zip(world.startOrder, world.startTimes).first { $0.0 == "later" }
        #expect(begun.map { $0.1 >= 21_000_000_000 } == true)
    }

    @Test("what waits in another queue stays")
    func otherQueues() {
        let world = SimulatedWorld(seed: 1)
        world.connect()
        world.post(.addQueue(QueueDeclaration(name: "other")))
        let due = world.clocks.wall.advanced(bySeconds: 20)
        world.send("later", headers: ["eta": .string(ISO8601.format(due))])
        let message = world.waiting.removeFirst().message
        for (number, queue) in [(UInt64(1), "q"), (2, "other")] {
            let tag = DeliveryTag(link: world.link, number: number)
            world.unsettled[tag] = message
            world.post(
                .delivered(
                    Delivery(
                        tag: tag, queue: queue, exchange: "", routingKey: queue, redelivered: false, message: message)))
        }
        #expect(world.core.inFlight.count == 2)
        world.post(.pauseQueue("q"))
        #expect(world.core.inFlight.inOrder.map(\.delivery.queue) == ["other"])
    }

    @Test("pauses at any moment lose nothing and start nothing twice", arguments: 1...300 as ClosedRange<UInt64>)
    func schedules(seed: UInt64) {
        var faults = SimulatedWorld.Faults()
        faults.storeFailure = 0.1
        faults.notStarted = 0.1
        faults.runnerFault = 0.1
        faults.retry = 0.1
        if seed.isMultiple(of: 2) { faults.linkLoss = 0.02 }
        let world = SimulatedWorld(seed: seed, faults: faults)
        for number in 0..<30 { world.send("id-\(number)") }
        world.connect()
        for _ in 0..<6 {
            world.run(steps: Int.random(in: 1...20, using: &world.random))
            world.post(.pauseQueue("q"))
            let begun = world.startOrder.count
            world.run(steps: Int.random(in: 1...10, using: &world.random))
            #expect(world.startOrder.count == begun, "seed \(seed)")
            world.post(.resumeQueue("q"))
        }
        world.calm()
        world.run()
        #expect(world.results.count == 30 && world.results.values.allSatisfy { $0 == .success }, "seed \(seed)")
        #expect(world.unsettled.isEmpty && world.waiting.isEmpty && world.violations.isEmpty, "seed \(seed)")
        #expect(world.core.inFlight.isEmpty && world.core.intake.delaysNothing, "seed \(seed)")
    }
}
