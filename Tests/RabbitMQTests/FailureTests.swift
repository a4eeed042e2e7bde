// What goes wrong: lost connections, refused queues, alarms, TLS.
import Foundation
import Ports
import TaskModel
import TestKit
import Testing

@testable import RabbitMQ

extension RabbitMQServerTests {
    @Test("after the connection is cut everything held comes again, old tags are ignored, and publishing goes on")
    func reconnect() throws {
        let rig = try Rig()
        let queue = QueueDeclaration(name: Lab.queue("cut"))
        try rig.publish(["a", "b"], to: queue)
        rig.broker.consume([queue])
        rig.broker.setCredit(10, queue: queue.name)
        try rig.wait("2") { rig.deliveries.count == 2 }
        let old = rig.deliveries
        try Lab.ctl("close_all_connections", "test")
        try rig.wait("the link again") { rig.ups >= 2 }
        try rig.wait("both again") { rig.deliveries.count == 4 }
        rig.broker.acknowledge(old[0].tag)
        rig.broker.acknowledge(old[1].tag)
        #expect(try rig.publish(["c"], to: queue).map { $0?.code } == [nil])
        try rig.wait("c") { rig.deliveries.count == 5 }
        #expect(rig.bodies()[2...] == ["a", "b", "c"])
        #expect(rig.deliveries[2].redelivered)
        #expect(try rig.depth(queue.name) == (0, 3))
        for delivery in rig.deliveries[2...] { rig.broker.acknowledge(delivery.tag) }
        try rig.close()
        #expect(try rig.depth(queue.name) == (0, 0))
    }

    @Test("messages published while the server restarts are confirmed afterwards, none lost")
    func restart() throws {
        let rig = try Rig()
        let queue = QueueDeclaration(name: Lab.queue("restart"))
        try rig.publish(["first"], to: queue)
        var confirmed = 0
        let restart = rig.start("TASKHOST_TEST_RABBITMQ_RESTART")
        var sent = 0
        while restart.result == nil || confirmed < sent {
            if restart.result == nil, sent < 5000, sent - confirmed < 500 {
                for _ in 0..<50 {
                    sent += 1
                    var message = WireMessage(body: Array("m\(sent)".utf8))
                    message.properties.deliveryMode = 2
                    rig.broker.publish(Publication(destination: .queue(queue), message: message)) { failure in
                        #expect(failure == nil)
                        confirmed += 1
                    }
                }
            }
            // Turns once at least; a confirm or the end of the restart wakes it.
            rig.loop.runOnce(timeoutSeconds: 60)
            if case .failure(let error) = restart.result { throw error }
        }
        try rig.wait("the link") { rig.ups >= 2 }
        rig.acksAtOnce = true
        rig.broker.consume([queue])
        rig.broker.setCredit(500, queue: queue.name)
        let expected = Set((1...sent).map { "m\($0)" })
        try rig.wait("all") { rig.seen.count > sent }
        let missing = expected.subtracting(rig.seen)
        #expect(missing.isEmpty)
        try rig.close()
    }

    @Test("a message no queue takes is unroutable, one to a missing exchange is not found; others are not harmed")
    func unroutable() throws {
        let rig = try Rig()
        let good = QueueDeclaration(name: Lab.queue("good"))
        let message = WireMessage(body: [1])
        let results = try rig.publish([
            Publication(destination: .queue(good), message: message),
            Publication(destination: .exchange("", routingKey: Lab.queue("nobody")), message: message),
            Publication(destination: .exchange("no.such.exchange", routingKey: "x"), message: message),
            Publication(destination: .queue(good), message: message),
        ])
        #expect(results.map { $0?.code } == [nil, .unroutable, .notFound, nil])
        try rig.close()
        #expect(try rig.depth(good.name).ready >= 2)
    }

    @Test("a header with a number that is not finite is refused, and what is sent beside it is confirmed")
    func notFinite() throws {
        let rig = try Rig()
        let queue = QueueDeclaration(name: Lab.queue("finite"))
        func message(_ value: FieldValue) -> Publication {
            Publication(destination: .queue(queue), message: WireMessage(headers: ["x": value], body: [1]))
        }
        let results = try rig.publish([
            message(.int(1)), message(.double(.nan)), message(.array([.table(["y": .double(-.infinity)])])),
            message(.double(1e300)),
        ])
        #expect(results.map { $0?.code } == [nil, .unsupported, .unsupported, nil])
        #expect(results[1]?.detail.contains("not finite") ?? false)
        try rig.close()
    }

    @Test("a queue whose name the broker changes is refused, to whoever publishes to it or consumes it")
    func changedName() throws {
        let rig = try Rig()
        let (good, broken) = (Lab.queue("good"), Lab.queue("a\nb"))
        let message = WireMessage(body: [1])
        let results = try rig.publish([
            Publication(destination: .queue(QueueDeclaration(name: broken)), message: message),
            Publication(destination: .deadLetters(of: broken), message: message),
            Publication(destination: .queue(QueueDeclaration(name: good)), message: message),
        ])
        #expect(results.map { $0?.code } == [.unsupported, .unsupported, nil])
        #expect(results[0]?.fix?.contains("line breaks") ?? false)
        try rig.close()
    }

    @Test("what goes to a missing exchange has nothing beside it sent twice")
    func missingExchangeBesideOthers() throws {
        let rig = try Rig()
        let good = QueueDeclaration(name: Lab.queue("once"))
        try rig.publish([Publication(destination: .queue(good), message: WireMessage(body: [1]))])
        let results = try rig.publish(
            (0..<600).map { index in
                Publication(
                    destination: index % 10 == 9 ? .exchange("no.such.exchange", routingKey: "x") : .queue(good),
                    message: WireMessage(body: Array("\(index)".utf8)))
            })
        for (index, failure) in results.enumerated() { #expect(failure?.code == (index % 10 == 9 ? .notFound : nil)) }
        try rig.close()
        #expect(try rig.depth(good.name).ready == 541)
    }

    @Test("a message the broker closes the channel for fails alone; those around it arrive")
    func poison() throws {
        let rig = try Rig()
        let queue = QueueDeclaration(name: Lab.queue("poison"))
        var publications: [Publication] = []
        for index in 0..<40 {
            var message = WireMessage(body: Array("\(index)".utf8))
            if index == 20 { message.properties.expiration = "not a number" }
            publications.append(Publication(destination: .queue(queue), message: message))
        }
        try rig.publish([publications[0]])
        let results = try rig.publish(publications)
        for (index, failure) in results.enumerated() { #expect(failure?.code == (index == 20 ? .precondition : nil)) }
        rig.acksAtOnce = true
        rig.broker.consume([queue])
        rig.broker.setCredit(100, queue: queue.name)
        let expected = Set((0..<40).filter { $0 != 20 }.map { "\($0)" })
        try rig.wait("39") { expected.isSubset(of: rig.seen) }
        try rig.close()
    }

    @Test("headers larger than a frame and names longer than 255 bytes are refused before they break the link")
    func tooLarge() throws {
        let rig = try Rig()
        let queue = QueueDeclaration(name: Lab.queue("large"))
        var named = WireMessage(body: [])
        named.properties.correlationID = String(repeating: "x", count: 256)
        let results = try rig.publish([
            Publication(
                destination: .queue(queue),
                message: WireMessage(headers: ["x": .string(String(repeating: "y", count: 140_000))], body: [])),
            Publication(destination: .queue(queue), message: named),
            Publication(
                destination: .queue(QueueDeclaration(name: String(repeating: "q", count: 300))),
                message: WireMessage(body: [])),
            Publication(destination: .queue(queue), message: WireMessage(body: [])),
        ])
        #expect(results.map { $0?.code } == [.unsupported, .unsupported, .unsupported, nil])
        try rig.close()
    }

    @Test("under a memory alarm publishing waits and says so, consuming and acknowledging go on")
    func blocked() throws {
        let rig = try Rig()
        let queue = QueueDeclaration(name: Lab.queue("alarm"))
        try rig.publish((0..<10).map { "\($0)" }, to: queue)
        try Lab.ctl("set_vm_memory_high_watermark", "0.00001")
        var confirmed = false
        rig.broker.publish(Publication(destination: .queue(queue), message: WireMessage(body: [1]))) { _ in
            confirmed = true
        }
        try rig.wait("blocked") { rig.blockedReasons.count == 1 }
        #expect(rig.blockedReasons[0] != nil)
        rig.broker.consume([queue])
        rig.broker.setCredit(10, queue: queue.name)
        try rig.wait("10 deliveries") { rig.deliveries.count == 10 }
        for delivery in rig.deliveries { rig.broker.acknowledge(delivery.tag) }
        rig.broker.setCredit(0, queue: queue.name)
        #expect(!confirmed)
        try Lab.ctl("set_vm_memory_high_watermark", "0.4")
        try rig.wait("confirm") { confirmed }
        try rig.wait("unblocked") { rig.blockedReasons.count == 2 }
        #expect(rig.blockedReasons[1] == nil)
        try rig.close()
        #expect(rig.ups == 1)
        #expect(try rig.depth(queue.name) == (1, 0))
    }

    @Test("a queue deleted under the consumer is declared again and consumed")
    func cancelled() throws {
        let rig = try Rig()
        let queue = QueueDeclaration(name: Lab.queue("deleted"))
        rig.acksAtOnce = true
        rig.broker.consume([queue])
        rig.broker.setCredit(5, queue: queue.name)
        try rig.publish(["before"], to: queue)
        try rig.wait("before") { rig.deliveries.count == 1 }
        try Lab.ctl("delete_queue", queue.name)
        try rig.wait("cancel") { rig.cancelled == [queue.name] }
        // Published at once: the publisher declares again what it had declared before.
        #expect(try rig.publish(["after"], to: queue).map { $0?.code } == [nil])
        try rig.wait("after") { rig.deliveries.count == 2 }
        #expect(rig.ups == 1)
        try rig.close()
    }

    @Test("a queue with other arguments is used as it is; the log names both sides and the fix")
    func otherArguments() throws {
        let name = Lab.queue("args")
        let rig = try Rig()
        try rig.publish(["x"], to: QueueDeclaration(name: name))
        rig.broker.consume([QueueDeclaration(name: name, maxPriority: 10, isExplicit: true)])
        try rig.wait("delivery") { rig.deliveries.count == 1 }
        let warning = rig.log.first { $0.contains(name) && $0.contains("x-max-priority") }
        #expect(warning?.contains("current is none") ?? false, "\(rig.log)")
        #expect(warning?.contains("Give [queues.\(name)] the same x-max-priority") ?? false)
        try rig.close()
    }

    @Test("wrong passwords, missing virtual hosts: fatal at once, with the fix")
    func refused() throws {
        var address = try Lab.address()
        address.password = "wrong"
        let rig = try Rig([address])
        try rig.wait("refusal") { rig.failures.count == 1 }
        #expect(rig.failures[0].code == .loginRefused)
        #expect(!rig.failures[0].description.contains("wrong"))
        // Not at level info: an operator has to act.
        rig.broker.publish(
            Publication(destination: .queue(QueueDeclaration(name: "q")), message: WireMessage(headers: [:], body: []))
        ) { _ in }
        try rig.wait("the publisher to say so") { rig.log.contains { $0.contains("publishing waits") } }
        #expect(!rig.log.contains { $0.hasPrefix("log info") }, "\(rig.log)")
        address = try Lab.address()
        address.vhost = "nowhere"
        let other = try Rig([address])
        try other.wait("refusal") { other.failures.count == 1 }
        #expect(other.failures[0].fix?.contains("add_vhost") ?? false, "\(other.failures)")
        try rig.close()
        try other.close()
    }

    @Test("when the first address is dead the second is used")
    func failover() throws {
        var dead = RabbitMQAddress()
        dead.host = "127.0.0.1"
        dead.port = 1
        var options = RabbitMQOptions()
        options.backoff = Backoff(initial: 0.02, max: 30, jitter: Backoff.upperHalf)
        let rig = try Rig([dead, try Lab.address()], options: options)
        try rig.wait("link") { rig.ups == 1 }
        #expect(rig.told.first?.contains("cannot connect") ?? false, "\(rig.told)")
        #expect(try rig.publish(["x"], to: QueueDeclaration(name: Lab.queue("failover"))).map { $0?.code } == [nil])
        try rig.close()
    }

    @Test("amqps: the authority and the name are checked; verify_none checks neither")
    func tls() throws {
        let folder = try Variables.value("TASKHOST_TEST_TLS_DIR")
        let url = try Variables.value("TASKHOST_TEST_AMQPS_URL")
        func outcome(_ text: String) throws -> (ups: Int, told: [String]) {
            let rig = try Rig([try RabbitMQAddress(parsing: text)])
            try rig.wait("an answer") { !rig.told.isEmpty }
            if rig.ups == 1 {
                let queue = QueueDeclaration(name: Lab.queue("tls"))
                #expect(
                    try rig.publish(["a", String(repeating: "x", count: 400_000)], to: queue).map { $0?.code } == [
                        nil, nil,
                    ])
                rig.broker.consume([queue])
                rig.broker.setCredit(2, queue: queue.name)
                try rig.wait("deliveries over TLS") { rig.deliveries.count == 2 }
            }
            try rig.close()
            return (rig.ups, rig.told)
        }
        #expect(try outcome("\(url)?cacertfile=\(folder)/ca.pem").ups == 1)
        let client = "certfile=\(folder)/client.pem&keyfile=\(folder)/client.key"
        #expect(try outcome("\(url)?cacertfile=\(folder)/ca.pem&\(client)").ups == 1)
        let stranger = try outcome("\(url)?cacertfile=\(folder)/other-ca.pem")
        #expect(stranger.ups == 0)
        #expect(stranger.told[0].contains("cacertfile"))
        let misnamed = url.replacing("localhost", with: "127.0.0.1")
        let wrongName = try outcome("\(misnamed)?cacertfile=\(folder)/ca.pem")
        #expect(wrongName.ups == 0)
        #expect(wrongName.told[0].contains("not made out to '127.0.0.1'"))
        #expect(try outcome("\(misnamed)?verify=verify_none").ups == 1)
    }

    @Test("a broker that stands still is noticed by its missing heartbeats; the loop never waits for it")
    func frozen() throws {
        let file = try String(contentsOfFile: Variables.value("TASKHOST_TEST_RABBITMQ_PIDFILE"), encoding: .utf8)
        let pid = try #require(pid_t(file.filter(\.isNumber)))
        var address = try Lab.address()
        address.heartbeatSeconds = 1
        address.connectTimeoutSeconds = 1
        let rig = try Rig([address])
        let queue = QueueDeclaration(name: Lab.queue("frozen"))
        try rig.publish((0..<5).map { "\($0)" }, to: queue)
        rig.broker.consume([queue])
        rig.broker.setCredit(5, queue: queue.name)
        try rig.wait("5") { rig.deliveries.count == 5 }
        var latest = ContinuousClock.now
        var longest = Duration.zero
        func beat() {
            let now = ContinuousClock.now
            longest = max(longest, now - latest)
            latest = now
            _ = rig.loop.schedule(afterSeconds: 0.05, beat)
        }
        beat()
        kill(pid, SIGSTOP)
        defer { kill(pid, SIGCONT) }
        for delivery in rig.deliveries { rig.broker.acknowledge(delivery.tag) }
        try rig.wait("the link to be given up") { rig.told.contains { $0.hasPrefix("down") } }
        kill(pid, SIGCONT)
        try rig.wait("the link again") { rig.ups >= 2 }
        #expect(longest < .seconds(1), "the loop stood still for \(longest)")
        try rig.close()
    }

    @Test("closing gives up after its bound when nobody can confirm")
    func closeBound() throws {
        var dead = RabbitMQAddress()
        dead.host = "127.0.0.1"
        dead.port = 1
        var options = RabbitMQOptions()
        options.closeTimeoutSeconds = 0.3
        let rig = try Rig([dead], options: options)
        var result: BrokerFailure?
        let publication = Publication(destination: .exchange("", routingKey: "x"), message: WireMessage(body: []))
        rig.broker.publish(publication) { result = $0 }
        try rig.close()
        #expect(result?.code == .closed)
    }
}
