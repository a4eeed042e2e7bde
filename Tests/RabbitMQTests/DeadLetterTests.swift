// Dead letters, the delay ladder, purging, results over rpc://.
import Ports
import TaskModel
import Testing

@testable import RabbitMQ

extension RabbitMQServerTests {
    private func bury(_ rig: Rig, _ ids: [String], of queue: String) throws {
        let results = try rig.publish(
            ids.map { id in
                let report: FieldTable = ["reason": .string("crash"), "queue": .string(queue)]
                let headers: FieldTable = [
                    "task": .string("t"), "id": .string(id), "taskhost-dead": .table(report),
                    "taskhost-starts": .int(3),
                    "x-death": .array([]), "mine": .string("kept"),
                ]
                return Publication(
                    destination: .deadLetters(of: queue), message: WireMessage(headers: headers, body: Array(id.utf8)))
            })
        #expect(results.allSatisfy { $0 == nil })
    }

    private func letters(_ rig: Rig, _ queue: String, limit: Int = 100) throws -> [String] {
        var result: Result<[DeadLetter], BrokerFailure>?
        rig.broker.deadLetters(of: queue, limit: limit) { result = $0 }
        try rig.wait("dead letters") { result != nil }
        return try result?.get().map(\.id) ?? []
    }

    private func settle(_ rig: Rig, _ queue: String, _ ids: Set<String>?, _ action: DeadLetterAction) throws -> Int {
        var result: Result<Int, BrokerFailure>?
        rig.broker.settleDeadLetters(of: queue, ids: ids, action: action) { result = $0 }
        try rig.wait("settled") { result != nil }
        return try result?.get() ?? -1
    }

    @Test("dead letters are listed oldest first, and stay")
    func listing() throws {
        let rig = try Rig()
        let queue = Lab.queue("ls")
        #expect(try letters(rig, queue) == [])
        try bury(rig, ["a", "b", "c"], of: queue)
        #expect(try letters(rig, queue, limit: 2) == ["a", "b"])
        #expect(try letters(rig, queue) == ["a", "b", "c"])
        try rig.close()
    }

    @Test("a retried dead letter goes back where it came from without the marks of death; a dropped one is gone")
    func retryAndDrop() throws {
        let rig = try Rig()
        let queue = QueueDeclaration(name: Lab.queue("retry"))
        try rig.publish(["first"], to: queue)
        try bury(rig, ["a", "b", "c", "d"], of: queue.name)
        #expect(try settle(rig, queue.name, ["b"], .retry) == 1)
        #expect(try settle(rig, queue.name, ["c", "nobody"], .drop) == 1)
        #expect(try letters(rig, queue.name) == ["a", "d"])
        #expect(try settle(rig, queue.name, nil, .retry) == 2)
        #expect(try letters(rig, queue.name) == [])
        rig.broker.consume([queue])
        rig.broker.setCredit(10, queue: queue.name)
        try rig.wait("first, b, a, d") { rig.deliveries.count == 4 }
        #expect(rig.bodies() == ["first", "b", "a", "d"])
        // RabbitMQ 4.3 sorts them.
        #expect(rig.deliveries[1].message.headers.fields.map(\.key).sorted() == ["id", "mine", "task"])
        try rig.close()
    }

    @Test("a dead letter whose queue is gone stays, and the failure says what to do")
    func retryNowhere() throws {
        let rig = try Rig()
        let queue = Lab.queue("gone")
        try bury(rig, ["a"], of: queue)
        let failure = #expect(throws: BrokerFailure.self) { _ = try settle(rig, queue, nil, .retry) }
        #expect(failure?.code == .unroutable)
        #expect(try letters(rig, queue) == ["a"])
        try rig.close()
    }

    @Test("purging tells how many messages it threw away; a missing queue is not found")
    func purging() throws {
        let rig = try Rig()
        let queue = QueueDeclaration(name: Lab.queue("purge"))
        try rig.publish(["a", "b", "c"], to: queue)
        var results: [Result<Int, BrokerFailure>] = []
        rig.broker.purge(queue: queue.name) { results.append($0) }
        try rig.wait("purged") { results.count == 1 }
        #expect(try results[0].get() == 3)
        rig.broker.purge(queue: Lab.queue("nothing")) { results.append($0) }
        try rig.wait("answer") { results.count == 2 }
        #expect(throws: BrokerFailure.self) { try results[1].get() }
        try rig.close()
    }

    @Test("a delayed message climbs down the ladder and arrives after its whole seconds, not before")
    func delay() throws {
        let rig = try Rig()
        let queue = QueueDeclaration(name: Lab.queue("delay"))
        rig.broker.consume([queue])
        rig.broker.setCredit(10, queue: queue.name)
        let begin = ContinuousClock.now
        #expect(try rig.publish(["late"], to: queue, delay: 3.2).map { $0?.code } == [nil])
        #expect(try rig.publish(["soon"], to: queue, delay: 0.7).map { $0?.code } == [nil])
        try rig.wait("soon") { rig.deliveries.count == 1 }
        #expect(rig.bodies() == ["soon"])
        try rig.wait("late") { rig.deliveries.count == 2 }
        let passed = ContinuousClock.now - begin
        #expect(passed >= .seconds(3))
        #expect(rig.deliveries[1].routingKey.hasSuffix("0.1.1.\(queue.name)"))
        #expect(rig.deliveries[1].routingKey.split(separator: ".").prefix(28).allSatisfy { $0 == "0" || $0 == "1" })
        try rig.close()
    }

    @Test("results over rpc:// reach the follower, even when the answer races the declaration of its queue")
    func rpc() throws {
        let rig = try Rig()
        let results = RPCResults(broker: rig.broker)
        var metas: [String] = []
        let subscription = results.follow("id-1") { metas.append(String(decoding: $0, as: UTF8.self)) }
        var outcomes: [StoreFailure?] = []
        func store(_ text: String, id: String, replyTo: String?) {
            results.store(
                ResultRecord(
                    taskID: id, state: .started, meta: Array(text.utf8), replyTo: replyTo, correlationID: nil,
                    expiresAfterSeconds: nil)
            ) { outcomes.append($0) }
        }
        store("started", id: "id-1", replyTo: results.replyTo)
        store("other", id: "id-2", replyTo: results.replyTo)
        store("success", id: "id-1", replyTo: results.replyTo)
        store("nobody asked", id: "id-3", replyTo: nil)
        store("caller is gone", id: "id-4", replyTo: UUIDText.random())
        try rig.wait("5 outcomes") { outcomes.count == 5 }
        #expect(outcomes.allSatisfy { $0 == nil })
        try rig.wait("2 metas") { metas.count == 2 }
        #expect(metas == ["started", "success"])
        subscription.cancel()
        try rig.close()
    }
}
