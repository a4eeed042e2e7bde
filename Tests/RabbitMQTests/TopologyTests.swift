// Queues that exist: what is found out about them, and what is declared for them.
import Foundation
import Ports
import TaskModel
import TestKit
import Testing

@testable import RabbitMQ

extension RabbitMQServerTests {
    /// Arguments of a quorum queue of which one or the other is named first in a refusal.
    private static let variants: [FieldTable] = [
        ["x-delivery-limit": .int(50)], ["x-dead-letter-exchange": .string("amq.direct")],
        ["x-message-ttl": .int(600_000)], ["x-delivery-limit": .int(50), "x-max-length": .int(1000)],
    ]

    @Test("a quorum queue is known as one whatever else it was declared with: the ladder leads to it", arguments: 0..<4)
    func quorumArguments(variant: Int) throws {
        let name = Lab.queue("limq")
        let client = try Rig()
        try client.publish(
            ["made"], to: QueueDeclaration(name: name, kind: .quorum, arguments: Self.variants[variant]))
        let rig = try Rig()
        rig.acksAtOnce = true
        rig.broker.consume([QueueDeclaration(name: name)])
        try rig.wait("the first") { rig.seen.contains("made") }
        // As Celery's clients send what is due later.
        let late = Publication(
            destination: .exchange(DelayLadder.entry, routingKey: DelayLadder.routingKey(seconds: 1, to: name)),
            message: WireMessage(body: Array("late".utf8)))
        #expect(try client.publish([late]).map { $0?.code } == [nil])
        try rig.wait("the late one") { rig.seen.contains("late") }
        try rig.close()
        try client.close()
    }

    /// As clients that declare queues alone do.
    private func declareAlone(_ queue: String, exchange: (name: String, type: String)? = nil) throws {
        try LinkSetup.visit(try Lab.address(), duty: "test", RabbitMQOptions()) { connection throws(BrokerFailure) in
            var topology = Topology(connection, channel: 1, options: RabbitMQOptions())
            try topology.declareQueue(queue)
            if let exchange { try topology.declareExchange(exchange.name, type: exchange.type) }
            try topology.end()
        }
    }

    @Test(
        "a queue that exists is bound to its exchange as Celery's workers bind it, which is declared if it is missing")
    func binding() throws {
        let rig = try Rig()
        rig.acksAtOnce = true
        let plain = QueueDeclaration(name: Lab.queue("unbound"))
        var routed = QueueDeclaration(name: Lab.queue("routed"))
        routed.exchange = Lab.queue("proj")
        routed.exchangeType = "topic"
        routed.routingKey = "proj.#"
        var foreign = QueueDeclaration(name: Lab.queue("foreign"))
        foreign.exchange = Lab.queue("fan")
        try declareAlone(plain.name)
        try declareAlone(routed.name)
        try declareAlone(foreign.name, exchange: (foreign.exchange ?? "", "fanout"))
        rig.broker.consume([plain, routed, foreign])
        try rig.wait("consumers") { rig.broker.isConsuming(plain.name) && rig.broker.isConsuming(foreign.name) }
        try rig.wait("consumers") { rig.broker.isConsuming(routed.name) }
        let targets = [(plain.name, plain.name), (routed.exchange ?? "", "proj.x"), (foreign.exchange ?? "", "")]
        let results = try rig.publish(
            targets.map { exchange, key in
                Publication(
                    destination: .exchange(exchange, routingKey: key), message: WireMessage(body: Array(exchange.utf8)))
            })
        #expect(results.map { $0?.code } == [nil, nil, nil], "\(results)")
        try rig.wait("all three") { rig.seen.isSuperset(of: targets.map(\.0)) }
        try rig.close()
    }

    @Test("who may only read a queue consumes it, and is told what is not bound for want of rights")
    func readOnly() throws {
        let name = Lab.queue("read-only")
        let user = String(Lab.queue("reader").filter { $0 != "." })
        try declareAlone(name)
        try Lab.ctl("add_user", user, "secret")
        defer { _ = try? Lab.ctl("delete_user", user) }
        try Lab.ctl("set_permissions", "-p", "/", user, "^$", "^(amq\\.default)?$", "^\(name.prefix(9)).*")
        var address = try Lab.address()
        (address.user, address.password) = (user, "secret")
        let rig = try Rig([address])
        rig.acksAtOnce = true
        rig.broker.consume([QueueDeclaration(name: name)])
        let sender = try Rig()
        try sender.publish(["task"], to: QueueDeclaration(name: name))
        try rig.wait("the task") { rig.seen.contains("task") }
        let warning = rig.log.first { $0.contains("without a binding") }
        #expect(warning?.contains("for user '\(user)'") ?? false, "\(rig.log)")
        #expect(rig.failures.isEmpty)
        try rig.close()
        try sender.close()
    }

    @Test("a user without rights to remote control's queue is told so once, by name")
    func deaf() throws {
        let user = String(Lab.queue("watcher").filter { $0 != "." })
        try Lab.ctl("add_user", user, "secret")
        defer { _ = try? Lab.ctl("delete_user", user) }
        try Lab.ctl("set_permissions", "-p", "/", user, "^$", "^$", "^$")
        var address = try Lab.address()
        (address.user, address.password) = (user, "secret")
        let rig = try Rig([address])
        let control = RabbitMQControl(broker: rig.broker)
        control.open(nodeName: Lab.queue("w"), controlExchange: "celery") { _ in }
        try rig.wait("the refusal") { rig.failures.count == 1 }
        #expect(rig.failures[0].description.contains("'\(user)'"))
        var hasPassed = false
        _ = rig.loop.schedule(afterSeconds: 1.5) { hasPassed = true }
        try rig.wait("further attempts") { hasPassed }
        #expect(rig.failures.count == 1 && rig.log.isEmpty, "\(rig.failures) \(rig.log)")
        control.close()
        try rig.close()
    }

    @Test("near its delivery limit a message is marked, and sent anew it is counted from nothing")
    func nearLimit() throws {
        let queue = QueueDeclaration(
            name: Lab.queue("limited"), kind: .quorum, arguments: ["x-delivery-limit": .int(4)])
        let rig = try Rig()
        rig.broker.consume([queue])
        try rig.publish(["one"], to: queue)
        var marks: [Bool] = []
        for count in 1...3 {
            try rig.wait("delivery \(count)") { rig.deliveries.count == count }
            #expect(rig.deliveries[count - 1].deliveryCount != nil)
            marks.append(rig.deliveries[count - 1].isNearLimit)
            // basic.reject counts on every version, as the death of a consumer does.
            if count < 3 { try rig.die() }
        }
        #expect(marks == [false, false, true])
        try rig.close()
    }

    private func errorsInLog() throws -> [String] {
        let folder = URL(fileURLWithPath: try Variables.value("TASKHOST_TEST_SERVERS_DIR") + "/rabbitmq/log")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return try files.filter { $0.lastPathComponent.hasPrefix("taskhost-") }.flatMap { file in
            String(decoding: try Data(contentsOf: file), as: UTF8.self).split(separator: "\n").map(String.init)
        }.filter { $0.contains("[error]") }
    }

    @Test("a queue that is there is taken up without an error in the broker's log, and a ladder is made with few")
    func quiet() throws {
        let classic = QueueDeclaration(name: Lab.queue("calm"))
        let host = Lab.queue("host")
        try Lab.ctl("add_vhost", host)
        defer { _ = try? Lab.ctl("delete_vhost", host) }
        try Lab.ctl("set_permissions", "-p", host, "guest", ".*", ".*", ".*")
        var address = try Lab.address()
        address.vhost = host
        let first = try Rig([address])
        first.broker.consume([classic])
        try first.wait("the queue") { first.broker.isConsuming(classic.name) }
        try first.close()
        let second = try Rig([address])
        second.broker.consume([classic])
        try second.wait("the queue") { second.broker.isConsuming(classic.name) }
        let quorum = QueueDeclaration(name: Lab.queue("calm-quorum"), kind: .quorum)
        second.broker.consume([quorum])
        try second.wait("the quorum queue") { second.broker.isConsuming(quorum.name) }
        try second.close()
        // The two queues and their exchanges were asked for while they were not there. The last of it is written late.
        func refusals() throws -> [String] { try errorsInLog().filter { $0.contains("in vhost '\(host)'") } }
        let end = second.loop.clocks.monotonic.advanced(bySeconds: 20)
        var told = try refusals()
        while !told.contains(where: { $0.contains("exchange '\(quorum.name)'") }) {
            try #require(second.loop.clocks.monotonic < end, "\(told)")
            second.loop.runOnce(timeoutSeconds: 0.2)
            told = try refusals()
        }
        #expect(told.count <= 4, "\(told)")
    }

    @Test("a connection kept for looks at depths lives on its heartbeats while nobody looks")
    func idleDepths() throws {
        var address = try Lab.address()
        address.heartbeatSeconds = 1
        let rig = try Rig([address])
        let queue = QueueDeclaration(name: Lab.queue("looked-at"))
        try rig.publish(["x"], to: queue)
        var depth: Int?
        rig.broker.depths(of: [queue.name]) { depth = (try? $0.get())?[queue.name] }
        try rig.wait("the depth") { depth == 1 }
        var hasPassed = false
        _ = rig.loop.schedule(afterSeconds: 5) { hasPassed = true }
        try rig.wait("some heartbeats") { hasPassed }
        #expect(rig.broker.depthConnection != nil)
        #expect(try errorsInLog().filter { $0.contains("depths") && $0.contains("heartbeat") }.isEmpty)
        try rig.close()
    }
}
