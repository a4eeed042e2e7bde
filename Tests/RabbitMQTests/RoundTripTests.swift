// Publishing, consuming, settling against the real thing.
import Ports
import TaskModel
import Testing

@testable import RabbitMQ

extension RabbitMQServerTests {
    /// RabbitMQ 4 hands headers out by name, earlier ones as they were sent.
    private func byName(_ message: WireMessage) -> WireMessage {
        var sorted = message
        sorted.headers.fields.sort { $0.key < $1.key }
        return sorted
    }

    @Test("a published message is confirmed and comes back whole, headers and all")
    func roundTrip() throws {
        let rig = try Rig()
        let queue = QueueDeclaration(name: Lab.queue("trip"))
        var message = WireMessage(
            headers: [
                "task": .string("tasks.add"), "eta": .null, "retries": .int(3), "big": .int(-5_000_000_000),
                "f": .double(1.5),
                "b": .bool(true), "timelimit": .array([.null, .int(2)]), "stamps": .table(["on": .string("äöü")]),
                "replaced_task_nesting": .int(0), "raw": .bytes([0, 255]),
            ], body: Array("[[1], {}, {}]".utf8))
        message.properties.contentType = "application/json"
        message.properties.contentEncoding = "utf-8"
        message.properties.correlationID = "id-1"
        message.properties.replyTo = "reply"
        message.properties.priority = 4
        message.properties.deliveryMode = 2
        #expect(try rig.publish([Publication(destination: .queue(queue), message: message)]).map { $0?.code } == [nil])
        rig.broker.consume([queue])
        try rig.wait("delivery") { rig.deliveries.count == 1 }
        let delivery = rig.deliveries[0]
        #expect(byName(delivery.message) == byName(message))
        #expect(delivery.queue == queue.name)
        #expect(delivery.routingKey == queue.name)
        #expect(delivery.exchange == "")
        #expect(!delivery.redelivered)
        rig.broker.acknowledge(delivery.tag)
        try rig.close()
        #expect(try rig.depth(queue.name) == (0, 0))
    }

    @Test("empty bodies and bodies of many frames come whole", arguments: [0, 1, 131_064, 131_065, 3_000_000])
    func bodySizes(size: Int) throws {
        let rig = try Rig()
        let queue = QueueDeclaration(name: Lab.queue("size"))
        let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try rig.publish([Publication(destination: .queue(queue), message: WireMessage(body: body))])
        rig.broker.consume([queue])
        try rig.wait("delivery") { rig.deliveries.count == 1 }
        #expect(rig.deliveries[0].message.body == body)
        try rig.close()
    }

    @Test("what was not settled goes back and is marked redelivered; what was settled does not")
    func redelivery() throws {
        let rig = try Rig()
        let queue = QueueDeclaration(name: Lab.queue("again"))
        try rig.publish(["a", "b", "c"], to: queue)
        rig.broker.setCredit(3, queue: queue.name)
        rig.broker.consume([queue])
        rig.broker.setCredit(3, queue: queue.name)
        try rig.wait("three") { rig.deliveries.count == 3 }
        rig.broker.acknowledge(rig.deliveries[1].tag)
        try rig.close()
        let second = try Rig()
        second.broker.consume([queue])
        second.broker.setCredit(3, queue: queue.name)
        try second.wait("two") { second.deliveries.count == 2 }
        #expect(second.bodies() == ["a", "c"])
        #expect(second.deliveries.allSatisfy { $0.redelivered })
        second.broker.reject(second.deliveries[0].tag, requeue: false)
        second.broker.reject(second.deliveries[1].tag, requeue: true)
        try second.wait("c again") { second.deliveries.count == 3 }
        #expect(second.bodies()[2] == "c")
        try second.close()
        #expect(try second.depth(queue.name) == (1, 0))
    }

    @Test("each queue has a credit of its own, which can be raised, lowered and taken away at run time")
    func credit() throws {
        let rig = try Rig()
        let one = QueueDeclaration(name: Lab.queue("one"))
        let two = QueueDeclaration(name: Lab.queue("two"))
        try rig.publish((0..<20).map { "\($0)" }, to: one)
        try rig.publish((0..<20).map { "\($0)" }, to: two)
        rig.broker.consume([one, two])
        rig.broker.setCredit(2, queue: one.name)
        rig.broker.setCredit(5, queue: two.name)
        func held(_ queue: QueueDeclaration) -> Int { rig.deliveries.count { $0.queue == queue.name } }
        try rig.wait("2 and 5") { held(one) == 2 && held(two) == 5 }
        #expect(try rig.depth(one.name) == (18, 2))
        #expect(try rig.depth(two.name) == (15, 5))
        rig.broker.setCredit(7, queue: one.name)
        // From RabbitMQ 4 on another credit is another consumer's, which does not count what the one before holds.
        let raised = try Lab.version().major < 4 ? 7 : 2 + 7
        try rig.wait("\(raised)") { held(one) >= raised }
        rig.broker.setCredit(0, queue: two.name)
        for delivery in rig.deliveries { rig.broker.acknowledge(delivery.tag) }
        try rig.wait("7 more of one") { held(one) >= raised + 7 }
        #expect(try rig.depth(one.name) == (20 - raised - 7, 7))
        #expect(held(two) == 5)
        rig.broker.setCredit(4, queue: two.name)
        try rig.wait("4 more of two") { held(two) == 9 }
        try rig.close()
    }

    @Test("a higher priority is delivered first where the queue knows priorities")
    func priorities() throws {
        let rig = try Rig()
        let queue = QueueDeclaration(name: Lab.queue("prio"), maxPriority: 9)
        try rig.publish((0..<50).map { "low\($0)" }, to: queue, priority: 0)
        try rig.publish(["high"], to: queue, priority: 9)
        rig.broker.consume([queue])
        try rig.wait("first") { rig.deliveries.count == 1 }
        #expect(rig.bodies() == ["high"])
        try rig.close()
    }

    @Test("thousands of messages flow through confirm, delivery and folded acks, none lost")
    func flow() throws {
        let rig = try Rig()
        rig.acksAtOnce = true
        let queue = QueueDeclaration(name: Lab.queue("flow"))
        rig.broker.consume([queue])
        rig.broker.setCredit(200, queue: queue.name)
        let results = try rig.publish((0..<10_000).map { "m\($0)" }, to: queue)
        #expect(results.allSatisfy { $0 == nil })
        try rig.wait("all of them") { rig.deliveries.count == 10_000 }
        // Compared outside of #expect, which would draw up the difference of two long lists.
        let isInOrder = rig.bodies() == (0..<10_000).map { "m\($0)" }
        #expect(isInOrder, "\(rig.told) \(Set(rig.bodies()).count)")
        try rig.close()
        #expect(try rig.depth(queue.name) == (0, 0))
    }

    @Test("stopConsuming takes no more, and what is held can still be settled")
    func stopping() throws {
        let rig = try Rig()
        let queue = QueueDeclaration(name: Lab.queue("stop"))
        try rig.publish((0..<10).map { "\($0)" }, to: queue)
        rig.broker.consume([queue])
        rig.broker.setCredit(4, queue: queue.name)
        try rig.wait("4") { rig.deliveries.count == 4 }
        var hasStopped = false
        rig.broker.stopConsuming { hasStopped = true }
        try rig.wait("stop") { hasStopped }
        for delivery in rig.deliveries { rig.broker.acknowledge(delivery.tag) }
        try rig.close()
        #expect(rig.deliveries.count == 4)
        #expect(try rig.depth(queue.name) == (6, 0))
    }

    @Test("a delay through the ladder ends in a quorum queue, not early, with the broker's record of it")
    func quorumDelay() throws {
        let rig = try Rig()
        let queue = QueueDeclaration(name: Lab.queue("quorum"), kind: .quorum)
        rig.broker.consume([queue])
        let begin = rig.loop.clocks.monotonic
        try rig.publish(["late"], to: queue, delay: 1)
        try rig.wait("delivery") { rig.deliveries.count == 1 }
        #expect(rig.loop.clocks.monotonic.seconds(since: begin) >= 0.99)
        #expect(rig.deliveries[0].message.headers["x-death"] != nil)
        rig.broker.acknowledge(rig.deliveries[0].tag)
        try rig.close()
        #expect(try rig.depth(queue.name) == (0, 0))
    }

    @Test("a quorum queue counts the deliveries that a lost consumer held, and dead-letters by itself beyond its limit")
    func quorumLimit() throws {
        let rig = try Rig()
        let dead = QueueDeclaration(name: Lab.queue("dead"))
        let queue = quorum(limit: 2, deadLettersTo: dead)
        rig.broker.consume([queue, dead])
        try rig.publish(["poison"], to: queue)
        for count in 1...3 {
            try rig.wait("delivery \(count)") { rig.deliveries.count == count }
            let told = rig.deliveries[count - 1].message.headers["x-delivery-count"]
            #expect(told == (count == 1 ? nil : .int(Int64(count - 1))))
            try rig.die()
        }
        try rig.wait("the dead letter") { rig.deliveries.count == 4 }
        #expect(rig.deliveries[3].queue == dead.name)
        try rig.close()
    }

    @Test("what is given back to a quorum queue counts before RabbitMQ 4.3, and does not from then on")
    func quorumReturns() throws {
        let rig = try Rig()
        let dead = QueueDeclaration(name: Lab.queue("dead"))
        let queue = quorum(limit: 2, deadLettersTo: dead)
        let version = try Lab.version()
        let isCounted = (version.major, version.minor) < (4, 3)
        rig.broker.consume([queue, dead])
        try rig.publish(["kept"], to: queue)
        for count in 1...3 {
            try rig.wait("delivery \(count)") { rig.deliveries.count == count }
            let told = rig.deliveries[count - 1].message.headers["x-delivery-count"]
            #expect(told == (isCounted && count > 1 ? .int(Int64(count - 1)) : nil))
            rig.broker.reject(rig.deliveries[count - 1].tag, requeue: true)
        }
        try rig.wait("what became of it") { rig.deliveries.count == 4 }
        #expect(rig.deliveries[3].queue == (isCounted ? dead : queue).name)
        try rig.close()
    }

    private func quorum(limit: Int, deadLettersTo dead: QueueDeclaration) -> QueueDeclaration {
        QueueDeclaration(
            name: Lab.queue("quorum"), kind: .quorum,
            arguments: [
                "x-delivery-limit": .int(Int64(limit)), "x-dead-letter-exchange": .string(""),
                "x-dead-letter-routing-key": .string(dead.name),
            ])
    }

    @Test("quorum queues are served, also when nobody told their kind, and pause and resume")
    func quorum() throws {
        let name = Lab.queue("quorum")
        let rig = try Rig()
        try rig.publish((0..<10).map { "\($0)" }, to: QueueDeclaration(name: name, kind: .quorum))
        rig.broker.consume([QueueDeclaration(name: name)])
        rig.broker.setCredit(3, queue: name)
        try rig.wait("3") { rig.deliveries.count == 3 }
        rig.broker.setCredit(6, queue: name)
        try rig.wait("6 or a few more") { rig.deliveries.count >= 6 }
        rig.broker.setCredit(0, queue: name)
        for delivery in rig.deliveries { rig.broker.acknowledge(delivery.tag) }
        rig.broker.setCredit(6, queue: name)
        try rig.wait("all") { rig.deliveries.count == 10 }
        for delivery in rig.deliveries.dropFirst(6) { rig.broker.acknowledge(delivery.tag) }
        try rig.close()
        #expect(rig.ups == 1)
        #expect(rig.failures.isEmpty)
    }
}
