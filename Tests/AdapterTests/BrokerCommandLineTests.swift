// What every broker does for the command line: purge and dead letters.
import Ports
import TaskModel
import Testing

@Suite("Every broker, for the command line", .serialized)
struct BrokerCommandLineTests {
    @Test("depths count what waits, not what is held", arguments: BrokerKind.allCases)
    func depths(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        let missing = queue.name + "-missing"
        try client.publish((0..<5).map(String.init), to: queue)
        client.consume(queue, credit: 1)
        try client.receive(1)
        var depths: [String: Int]?
        client.broker.depths(of: [missing, queue.name]) { answer in
            depths = try? answer.get()
        }
        try client.wait("the depths") { depths != nil }
        #expect(depths?[queue.name] == 4)
        #expect(depths?[missing] ?? 0 == 0)
        try client.close()
    }

    @Test("deliverable is what waits, not what is held or waits for its time", arguments: BrokerKind.allCases)
    func deliverable(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        let missing = queue.name + "-missing"
        try client.publish((0..<5).map(String.init), to: queue)
        try client.publish([
            Publication(destination: .queue(queue), message: .text("later", priority: nil), delaySeconds: 600)
        ])
        client.consume(queue, credit: 1)
        try client.receive(1)
        // Asked twice: over a connection that is kept, where there is one.
        for _ in 0..<2 {
            var counts: [String: Int]?
            client.broker.deliverable(in: [missing, queue.name]) { answer in
                counts = try? answer.get()
            }
            try client.wait("the counts") { counts != nil }
            #expect(counts?[queue.name] == 4)
            #expect(counts?[missing] ?? 0 == 0)
        }
        try client.close()
    }

    @Test("after consuming anew messages come", arguments: BrokerKind.allCases)
    func recreateConsumers(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        try client.publish(["a"], to: queue)
        client.consume(queue, credit: 5)
        try client.receive(1)
        client.broker.recreateConsumers(because: "a test wants it")
        try client.publish(["b"], to: queue)
        try client.wait("the second message") { client.deliveries.contains { $0.text == "b" } }
        try client.settle()
        try client.close()
    }

    @Test("purge counts and removes what waits, not what is held", arguments: BrokerKind.allCases)
    func purge(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        try client.publish((0..<5).map(String.init), to: queue)
        client.consume(queue, credit: 1)
        try client.receive(1)
        var purged: Int?
        client.broker.purge(queue: queue.name) { purged = $0.count }
        try client.wait("the purge") { purged != nil }
        #expect(purged == 4)
        try client.close()

        let next = try place.client()
        next.consume(queue, credit: 5)
        try next.receive(1)
        try next.settle()
        #expect(next.deliveries.map(\.text) == ["0"])
        try next.close()
    }

    @Test("dead letters are listed oldest first, as they were sent, and stay", arguments: BrokerKind.allCases)
    func listing(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        try client.bury(["a", "b", "c"], from: queue)
        #expect(try client.dead(of: queue, limit: 2).map(\.id) == ["id-a", "id-b"])
        let all = try client.dead(of: queue)
        #expect(all.map(\.message.text) == ["a", "b", "c"])
        #expect(all.allSatisfy { $0.queue == queue.name })
        #expect(all[0].message.headers["kept"] == .string("yes"))
        try client.close()
    }

    @Test("a queue without dead letters lists none", arguments: BrokerKind.allCases)
    func emptyListing(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        #expect(try client.dead(of: place.queue("unheard-of")).isEmpty)
        try client.close()
    }

    @Test("a retried dead letter is delivered again without our headers", arguments: BrokerKind.allCases)
    func retrying(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        try client.publish(["makes the queue"], to: queue)
        client.consume(queue, credit: 1)
        client.broker.acknowledge(try client.receive(1)[0].tag)
        try client.bury(["a", "b"], from: queue)
        #expect(try client.settleDead(of: queue, ids: ["id-b"], .retry) == 1)

        let delivery = try client.receive(2)[1]
        #expect(delivery.text == "b")
        #expect(!delivery.redelivered)
        #expect(delivery.message.headers == ["id": .string("id-b"), "kept": .string("yes")])
        #expect(try client.dead(of: queue).map(\.id) == ["id-a"])
        try client.close()
    }

    @Test("dropped dead letters are gone, the others stay", arguments: BrokerKind.allCases)
    func dropping(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        try client.bury(["a", "b", "c"], from: queue)
        #expect(try client.settleDead(of: queue, ids: ["id-a", "id-c", "id-x"], .drop) == 2)
        #expect(try client.dead(of: queue).map(\.id) == ["id-b"])
        #expect(try client.settleDead(of: queue, ids: nil, .drop) == 1)
        #expect(try client.dead(of: queue).isEmpty)
        try client.close()
    }
}

extension Result where Failure == BrokerFailure {
    /// For expectations: a failure is no number.
    fileprivate var count: Success? {
        if case .success(let value) = self { value } else { nil }
    }
}

extension BrokerClient {
    func bury(_ bodies: [String], from queue: QueueDeclaration) throws {
        // One after the other: their order is asked for.
        for body in bodies {
            var message = WireMessage.text(body, id: "id-\(body)")
            message.headers["kept"] = .string("yes")
            message.headers["taskhost-starts"] = .int(3)
            message.headers["taskhost-dead"] = .table(["queue": .string(queue.name), "reason": .string("test")])
            try publish([Publication(destination: .deadLetters(of: queue.name), message: message)])
        }
    }

    func dead(of queue: QueueDeclaration, limit: Int = 100) throws -> [DeadLetter] {
        var answer: Result<[DeadLetter], BrokerFailure>?
        broker.deadLetters(of: queue.name, limit: limit) { answer = $0 }
        try wait("the dead letters") { answer != nil }
        return try answer?.get() ?? []
    }

    func settleDead(of queue: QueueDeclaration, ids: Set<String>?, _ action: DeadLetterAction) throws -> Int {
        var answer: Result<Int, BrokerFailure>?
        broker.settleDeadLetters(of: queue.name, ids: ids, action: action) { answer = $0 }
        try wait("the settlement") { answer != nil }
        return try answer?.get() ?? -1
    }
}
