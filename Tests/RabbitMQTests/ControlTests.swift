// Remote control's queue and exchanges, against the real thing.
import Ports
import TaskModel
import TestKit
import Testing

@testable import RabbitMQ

/// Keeps the messages a channel hands over.
private final class Heard {
    var bodies: [String] = []
}

extension RabbitMQServerTests {
    private func message(_ body: String) -> WireMessage { WireMessage(body: Array(body.utf8)) }

    private func listen(_ rig: Rig, node: String) -> (RabbitMQControl, Heard) {
        let control = RabbitMQControl(broker: rig.broker)
        let heard = Heard()
        control.open(nodeName: node, controlExchange: "celery") { message in
            heard.bodies.append(String(decoding: message.message.body, as: UTF8.self))
        }
        return (control, heard)
    }

    /// Often, because the broker may be quick enough by chance.
    @Test("orders are heard before the first task is taken", arguments: 0..<20)
    func heardBeforeTasks(_: Int) throws {
        let queue = QueueDeclaration(name: Lab.queue("heard-first"))
        let sender = try Rig()
        try sender.publish(["task"], to: queue)
        let rig = try Rig()
        rig.broker.consume([queue])
        let (control, heard) = listen(rig, node: Lab.queue("w@x"))
        try rig.wait("the task") { rig.seen.contains("task") }
        // From another connection: nothing of our own is waited for.
        let exchange = Publication(destination: .exchange("celery.pidbox", routingKey: ""), message: message("order"))
        #expect(try sender.publish([exchange]).allSatisfy { $0 == nil })
        try rig.wait("the order") { heard.bodies.contains("order") }
        control.close()
        try rig.close()
        try sender.close()
    }

    @Test("a broadcast reaches every node, the sender included, and a reply the one it is for")
    func broadcast() throws {
        let rig = try Rig()
        let (one, heardByOne) = listen(rig, node: Lab.queue("w1@x"))
        let other = try Rig()
        let (two, heardByTwo) = listen(other, node: Lab.queue("w2@x"))
        // Waits for the sender's own queue; the other's must be there, too.
        two.broadcast(message("here"), controlExchange: "celery")
        try other.wait("own broadcast") { heardByTwo.bodies.contains("here") }
        one.broadcast(message("hello"), controlExchange: "celery")
        try rig.wait("own broadcast") { heardByOne.bodies.contains("hello") }
        try other.wait("the other's broadcast") { heardByTwo.bodies.contains("hello") }
        let address = try #require(one.ownAddress)
        two.reply(to: address, message("answer"))
        try other.publish(["after it"], to: QueueDeclaration(name: Lab.queue("q")))
        try rig.wait("the reply") { heardByOne.bodies.contains("answer") }
        #expect(!heardByTwo.bodies.contains("answer"))
        try rig.close()
        try other.close()
    }

    @Test("queue and exchanges are those of Celery's workers: whoever declares them likewise is not refused")
    func entities() throws {
        let rig = try Rig()
        let node = Lab.queue("w1@x")
        let (control, heard) = listen(rig, node: node)
        control.broadcast(message("up"), controlExchange: "celery")
        try rig.wait("own broadcast") { heard.bodies == ["up"] }
        control.reply(
            to: ControlReplyAddress(exchange: "reply.celery.pidbox", routingKey: "nobody"), message("lost"))
        try rig.publish(["after it"], to: QueueDeclaration(name: Lab.queue("q")))
        let queues = try Lab.ctl(
            "list_queues", "name", "durable", "auto_delete", "exclusive", "arguments", "--no-table-headers")
        let ours = try #require(queues.split(separator: "\n").first { $0.contains(node) })
        #expect(ours.hasPrefix("\(node).celery.pidbox\tfalse\ttrue\ttrue\t"))
        #expect(ours.contains("{\"x-expires\",10000}") && ours.contains("{\"x-message-ttl\",300000}"), "\(ours)")
        let exchanges = try Lab.ctl("list_exchanges", "name", "type", "durable", "auto_delete", "--no-table-headers")
            .split(separator: "\n")
        #expect(exchanges.contains("celery.pidbox\tfanout\tfalse\tfalse"))
        #expect(exchanges.contains("reply.celery.pidbox\tdirect\tfalse\tfalse"))
        try rig.close()
        #expect(rig.failures.isEmpty)
    }

    @Test("replies to an exchange that is not there take nothing along of what others publish")
    func missingExchange() throws {
        let rig = try Rig()
        let (control, heard) = listen(rig, node: Lab.queue("w1@x"))
        control.broadcast(message("up"), controlExchange: "celery")
        try rig.wait("own broadcast") { heard.bodies == ["up"] }
        let queue = QueueDeclaration(name: Lab.queue("q"))
        rig.acksAtOnce = true  // The queue's credit is one.
        rig.broker.consume([queue])
        for round in 0..<5 {
            control.reply(to: ControlReplyAddress(exchange: "nobody.declared.it", routingKey: "k"), message("lost"))
            try rig.publish((0..<20).map { "\(round)-\($0)" }, to: queue)
        }
        try rig.wait("all of them") { rig.seen.count == 100 }
        // Nothing was published a second time.
        #expect(rig.deliveries.count == 100)
        let address = try #require(control.ownAddress)
        control.reply(to: address, message("answer"))
        try rig.wait("a reply after them") { heard.bodies.contains("answer") }
        #expect(rig.failures.isEmpty)
        try rig.close()
    }

    @Test("results go to no queue that is not a client's, and it is told once for each")
    func strangersQueue() throws {
        let rig = try Rig()
        let results = RPCResults(broker: rig.broker, targets: ReplyTargets(patterns: ["answers-*"]))
        let victim = QueueDeclaration(name: Lab.queue("payments"))
        let known = QueueDeclaration(name: "answers-\(Lab.queue("k"))")
        rig.broker.consume([victim, known])
        // A result for a queue that is not there yet is dropped: nobody waits for it.
        try rig.wait("both queues") { rig.broker.isConsuming(victim.name) && rig.broker.isConsuming(known.name) }
        var outcomes: [StoreFailure?] = []
        for target in [victim.name, victim.name, known.name] {
            let record = ResultRecord(
                taskID: "id", state: .success, meta: Array("result".utf8), replyTo: target, correlationID: nil,
                expiresAfterSeconds: nil)
            results.store(record) { outcomes.append($0) }
        }
        try rig.wait("the outcomes") { outcomes.count == 3 }
        #expect(outcomes.allSatisfy { $0 == nil })
        try rig.publish(["after it"], to: victim)
        try rig.wait("two messages") { rig.deliveries.count == 2 }
        #expect(Set(rig.bodies()) == ["after it", "result"])
        #expect(rig.deliveries.first { $0.message.body == Array("result".utf8) }?.routingKey == known.name)
        #expect(results.refusals == 2)
        #expect(rig.log.filter { $0.contains(victim.name) && $0.contains("[security] reply_to") }.count == 1)
        try rig.close()
    }

    @Test("broadcasts come again after the link was lost, and while consuming is stopped")
    func broadcastsAgain() throws {
        let rig = try Rig()
        let (control, heard) = listen(rig, node: Lab.queue("w1@x"))
        let queue = QueueDeclaration(name: Lab.queue("q"))
        rig.broker.consume([queue])
        control.broadcast(message("one"), controlExchange: "celery")
        try rig.wait("one") { heard.bodies == ["one"] }
        try Lab.ctl("close_all_connections", "test")
        try rig.wait("the link again") { rig.ups >= 2 }
        // RabbitMQ 3.10 sometimes closes the new link, too (541 INTERNAL_ERROR, 11 of 217 times): the exclusive queue of the
        // link before is still going. A broadcast that meets no queue is dropped, so that only its arrival tells.
        func hear(_ word: String) throws {
            for _ in 0..<100 where !heard.bodies.contains(word) {
                control.broadcast(message(word), controlExchange: "celery")
                do { try rig.wait(word, seconds: 0.2) { heard.bodies.contains(word) } } catch is TooLate { continue }
            }
            #expect(heard.bodies.contains(word), "\(rig.told + rig.log)")
        }
        try hear("two")
        var hasStopped = false
        rig.broker.stopConsuming { hasStopped = true }
        try rig.wait("the stop") { hasStopped }
        try hear("three")
        let ups = rig.ups
        try Lab.ctl("close_all_connections", "test")
        try rig.wait("the link once more") { rig.ups > ups }
        try hear("four")
        // What nobody took before stays where it is.
        try rig.publish(["task"], to: queue)
        try hear("five")
        #expect(rig.deliveries.isEmpty)
        #expect(rig.cancelled.isEmpty)
        try rig.close()
    }

    @Test("a second worker of the same name keeps working and takes over when the first is gone")
    func sameName() throws {
        let node = Lab.queue("w1@x")
        let first = try Rig()
        let (one, heardByOne) = listen(first, node: node)
        one.broadcast(message("up"), controlExchange: "celery")
        try first.wait("the first") { heardByOne.bodies == ["up"] }
        let second = try Rig()
        let queue = QueueDeclaration(name: Lab.queue("q"))
        second.broker.consume([queue])
        let (two, heardByTwo) = listen(second, node: node)
        try second.wait("the refusal") { second.log.contains { $0.contains("RESOURCE_LOCKED") } }
        try second.publish(["a"], to: queue)
        try second.wait("a task all the same") { second.bodies() == ["a"] }
        two.broadcast(message("mine"), controlExchange: "celery")
        try first.close()
        try second.wait("its turn") { heardByTwo.bodies == ["mine"] }
        #expect(second.failures.isEmpty)
        #expect(second.ups == 1)
        try second.close()
    }
}
