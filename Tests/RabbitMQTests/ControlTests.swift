// Remote control's queue and exchanges, against the real thing.
import Ports
import TaskModel
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

    @Test("broadcasts come again after the link was lost, and while consuming is stopped")
    func broadcastsAgain() throws {
        let rig = try Rig()
        let (control, heard) = listen(rig, node: Lab.queue("w1@x"))
        let queue = QueueDeclaration(name: Lab.queue("q"))
        rig.broker.consume([queue])
        control.broadcast(message("one"), controlExchange: "celery")
        try rig.wait("one") { heard.bodies == ["one"] }
        try Lab.ctl("close_all_connections", "test")
        try rig.wait("the link again") { rig.ups == 2 }
        // The queue is declared with the link; until then nothing can say so but a broadcast that arrives.
        var sent = 0
        while heard.bodies.count == 1, sent < 100 {
            sent += 1
            control.broadcast(message("two"), controlExchange: "celery")
            do { try rig.wait("two", seconds: 0.2) { heard.bodies.contains("two") } } catch is TimedOut { continue }
        }
        #expect(heard.bodies.contains("two"))
        var hasStopped = false
        rig.broker.stopConsuming { hasStopped = true }
        try rig.wait("the stop") { hasStopped }
        control.broadcast(message("three"), controlExchange: "celery")
        try rig.wait("three") { heard.bodies.contains("three") }
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
