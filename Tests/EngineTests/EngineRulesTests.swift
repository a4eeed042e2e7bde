// Single rules of the engine, each by the events that show it.
import CeleryWire
import Ports
import TaskModel
import Testing

@testable import Engine

@Suite("Engine rules")
struct EngineRulesTests {
    private func options(_ task: (inout TaskOptions) -> Void) -> TaskOptions {
        var options = TaskOptions()
        task(&options)
        return options
    }

    @Test("an early acknowledgement makes a crash final: it never starts twice")
    func earlyMeansAtMostOnce() {
        let world = SimulatedWorld(seed: 1, task: options { $0.acksLate = false }, faults: .init(crash: 1))
        world.send("once")
        world.connect()
        world.run()
        #expect(world.starts["once"] == 1)
        #expect(world.results["once"] == .failure)
    }

    @Test("an expired message ends as REVOKED and never starts")
    func expired() {
        let world = SimulatedWorld(seed: 1)
        world.send("late", headers: ["expires": .string("2020-01-01T00:00:00Z")])
        world.connect()
        world.run()
        #expect(world.starts["late"] == nil)
        #expect(world.results["late"] == .revoked)
        #expect(world.unsettled.isEmpty && world.waiting.isEmpty)
    }

    @Test("a message with an eta starts when it is due and not before")
    func etaIsObeyed() throws {
        let world = SimulatedWorld(seed: 1)
        let due = world.clocks.wall.advanced(bySeconds: 30)
        world.send("due", headers: ["eta": .string(ISO8601.format(due))])
        world.send("now")
        world.connect()
        world.run(steps: 8)
        #expect(world.starts["due"] == nil)
        world.run()
        #expect(world.results["due"] == .success)
        #expect(world.clocks.wall >= due)
    }

    @Test("a message due far ahead is not kept here but by the broker")
    func farEtaIsPostponed() {
        let world = SimulatedWorld(seed: 1)
        let due = world.clocks.wall.advanced(bySeconds: 3_600)
        world.send("far", headers: ["eta": .string(ISO8601.format(due))])
        world.connect()
        world.run(steps: 3)
        #expect(world.unsettled.isEmpty, "nothing is parked unacknowledged")
        world.run()
        #expect(world.results["far"] == .success)
        #expect(world.clocks.wall >= due)
    }

    @Test("messages that are not due do not use up the credit of what is due now")
    func waitingRaisesCredit() {
        let world = SimulatedWorld(seed: 1)
        let due = world.clocks.wall.advanced(bySeconds: 30)
        for number in 0..<50 { world.send("eta-\(number)", headers: ["eta": .string(ISO8601.format(due))]) }
        world.send("now")
        world.connect()
        world.run(steps: 10)
        #expect(world.results["now"] == .success)
    }

    @Test("a task unknown here ends as FAILURE and its message goes to the dead letters")
    func unknownTask() {
        let world = SimulatedWorld(seed: 1)
        world.send("x", headers: ["task": .string("nobody.knows")])
        world.connect()
        world.run()
        #expect(world.results["x"] == .failure)
        #expect(world.dead.count == 1)
    }

    @Test("a body that is no JSON goes to the dead letters and the next message runs")
    func undecodable() {
        let world = SimulatedWorld(seed: 1)
        var properties = MessageProperties()
        properties.contentType = "application/json"
        properties.contentEncoding = "utf-8"
        world.enqueue(
            WireMessage(
                properties: properties, headers: ["task": .string("t"), "id": .string("bad")], body: [0xff, 0x00]),
            redelivered: false)
        world.send("good")
        world.connect()
        world.run()
        #expect(world.dead.count == 1)
        #expect(world.results["good"] == .success)
    }

    @Test("retries stop at the bound, and the last failure is the result")
    func retryBound() {
        let world = SimulatedWorld(seed: 1, task: options { $0.maxRetries = .atMost(2) }, faults: .init(retry: 1))
        world.send("again")
        world.connect()
        world.run()
        #expect(world.starts["again"] == 3)
        #expect(world.finalStates["again"] == [.failure])
    }

    @Test("without a bound of its own a failing task is not retried")
    func failuresAreFinal() {
        let world = SimulatedWorld(seed: 1, faults: .init(taskFailure: 1))
        world.send("fails")
        world.connect()
        world.run()
        #expect(world.starts["fails"] == 1)
        #expect(world.results["fails"] == .failure)
    }

    @Test("with a back-off a failing task is retried by itself")
    func autoretry() {
        let task = options {
            $0.retryBackoff = 1
            $0.maxRetries = .atMost(2)
        }
        let world = SimulatedWorld(seed: 1, task: task, faults: .init(taskFailure: 1))
        world.send("fails")
        world.connect()
        world.run()
        #expect(world.starts["fails"] == 3)
    }

    @Test("the hard limit of the message wins over the task's and ends as TimeLimitExceeded at once")
    func hardLimitIsFinal() {
        let world = SimulatedWorld(seed: 1, task: options { $0.hardLimit = 100 })
        world.send("slow", headers: ["timelimit": .array([.double(0.001), .null])])
        world.connect()
        world.run()
        #expect(world.starts["slow"] == 1)
        #expect(world.results["slow"] == .failure)
    }

    @Test("an ignored result is not stored")
    func ignoredResult() {
        let world = SimulatedWorld(seed: 1)
        world.send("quiet", headers: ["ignore_result": .bool(true)])
        world.connect()
        world.run()
        #expect(world.starts["quiet"] == 1)
        #expect(world.results["quiet"] == nil)
    }
}

@Suite("Who is next")
struct ReadyQueuesTests {
    private func held(_ id: String, queue: String, priority: UInt8 = 0, name: String = "t") -> InFlight {
        var message = TaskMessage(id: id, name: name)
        message.priority = priority
        let delivery = Delivery(
            tag: DeliveryTag(link: 1, number: 1), queue: queue, exchange: "", routingKey: queue, redelivered: false,
            message: WireMessage(body: []))
        return InFlight(
            id: InFlightID(number: 1), delivery: delivery, message: message,
            policy: TaskPolicy(manifest: TaskOptions(), override: nil, defaults: TaskOptions()))
    }

    private func drain(_ queues: inout ReadyQueues) -> [String] {
        var order: [String] = []
        while let next = queues.next(where: { _ in true }) { order.append(next.message.id) }
        return order
    }

    @Test("an earlier queue is served first, and within a queue priority, then arrival")
    func order() {
        var queues = ReadyQueues(["urgent", "normal"].map { QueuePreference(declaration: QueueDeclaration(name: $0)) })
        queues.insert(held("n1", queue: "normal", priority: 9))
        queues.insert(held("u1", queue: "urgent"))
        queues.insert(held("u2", queue: "urgent", priority: 5))
        queues.insert(held("u3", queue: "urgent", priority: 5))
        #expect(drain(&queues) == ["u2", "u3", "u1", "n1"])
    }

    @Test("a task that finds no room is asked for once, however many queues it waits in, and others are not held up")
    func refusals() {
        var queues = ReadyQueues((0..<50).map { QueuePreference(declaration: QueueDeclaration(name: "q\($0)")) })
        for number in 0..<49 { queues.insert(held("\(number)", queue: "q\(number)")) }
        var asked = 0
        let none = queues.next { _ in
            asked += 1
            return false
        }
        #expect(none == nil)
        #expect(asked == 1)
        queues.insert(held("other", queue: "q49", name: "tests.other"))
        #expect(queues.next { $0.message.name == "tests.other" }?.message.id == "other")
        #expect(queues.next { $0.message.name == "tests.other" } == nil)
        #expect(drain(&queues).count == 49)
    }

    @Test("where 0 is the most urgent priority, as on Redis, lower numbers are served first")
    func lowestFirst() {
        var queues = ReadyQueues([QueuePreference(declaration: QueueDeclaration(name: "q"))], lowestFirst: true)
        queues.insert(held("nine", queue: "q", priority: 9))
        queues.insert(held("zero", queue: "q"))
        queues.insert(held("three", queue: "q", priority: 3))
        #expect(drain(&queues) == ["zero", "three", "nine"])
    }

    @Test("shares deal starts out in proportion while both queues have work")
    func shares() {
        var queues = ReadyQueues([
            QueuePreference(declaration: QueueDeclaration(name: "a"), share: 3),
            QueuePreference(declaration: QueueDeclaration(name: "b"), share: 1),
        ])
        for number in 0..<40 {
            queues.insert(held("a\(number)", queue: "a"))
            queues.insert(held("b\(number)", queue: "b"))
        }
        let first = drain(&queues).prefix(40)
        #expect(first.filter { $0.hasPrefix("a") }.count == 30)
    }
}

@Suite("Credit")
struct CreditTests {
    private func credit(slots: Int) -> Credit {
        Credit(options: EngineOptions.usual(slots: slots, queues: [], nodeName: "n"))
    }

    @Test("long tasks get a short prefetch, short ones a long one, bounded")
    func followsTheRate() {
        var slow = credit(slots: 2)
        for _ in 0..<4 { slow.taskFinished() }
        _ = slow.tick(elapsedSeconds: 0.1)
        #expect(slow.wanted(waiting: 0) <= 6)
        var fast = credit(slots: 2)
        for _ in 0..<5_000 { fast.taskFinished() }
        let changed = fast.tick(elapsedSeconds: 0.1)
        #expect(changed)
        #expect(fast.wanted(waiting: 0) == 2 + 256)
    }

    @Test("the rate is looked at right after work began, if enough has finished to tell it")
    func looksEarly() {
        let begin = Instant(nanoseconds: 1_000_000_000)
        for (finished, early) in [(40, 2 + 256), (4, 2 + 2)] {
            var intake = Intake(EngineOptions.usual(slots: 2, queues: [], nodeName: "n"))
            _ = intake.beginTicking(at: begin)
            for _ in 0..<finished { intake.taskFinished() }
            let hasChanged = intake.tick(at: begin.advanced(bySeconds: 0.01))
            #expect(hasChanged == (finished == 40))
            #expect(intake.usualCredit == early)
        }
    }

    @Test("what was too little to tell a rate counts when it is looked at next")
    func countsLater() {
        let begin = Instant(nanoseconds: 1_000_000_000)
        var intake = Intake(EngineOptions.usual(slots: 2, queues: [], nodeName: "n"))
        _ = intake.beginTicking(at: begin)
        for _ in 0..<20 { intake.taskFinished() }
        _ = intake.tick(at: begin.advanced(bySeconds: 0.01))
        let hasChanged = intake.tick(at: begin.advanced(bySeconds: 0.1))
        #expect(hasChanged)
        #expect(intake.usualCredit == 2 + 20)
    }
}

@Suite("A lost consumer")
struct ConsumerLostTests {
    @Test("what waited is forgotten, what runs takes over its redelivery, and the link stays up")
    func deliveriesAreUnknown() {
        let world = SimulatedWorld(seed: 3)
        for number in 0..<20 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: 4)
        // The broker takes everything of the queue back.
        world.link += 1
        for message in world.unsettled.values { world.enqueue(message, redelivered: true) }
        world.unsettled.removeAll()
        world.post(.consumerLost(queue: "q"))
        world.run()
        #expect(world.violations == [])
        #expect(world.starts.count == 20 && world.starts.values.allSatisfy { $0 == 1 })
        #expect(world.unsettled.isEmpty && world.waiting.isEmpty)
    }
}
