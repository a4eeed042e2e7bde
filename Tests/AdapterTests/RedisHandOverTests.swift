// Leaving a queue to Celery's workers: what waits for its time has to be where they look.
import Foundation
import Loop
import Ports
import Redis
import TaskModel
import Testing

@Suite("Leaving a Redis queue", .serialized)
struct RedisHandOverTests {
    private let server: PrivateRedis
    private let loop: EpollLoop
    private let queue = QueueDeclaration(name: "work")

    init() throws {
        server = try PrivateRedis()
        loop = try EpollLoop()
        try server.start()
    }

    private func client() throws -> BrokerClient {
        let address = try RedisAddress(url: "unix://\(server.socket)?db=0")
        let client = BrokerClient(RedisBroker(address: address, loop: loop), loop)
        client.broker.connect(events: client)
        try client.wait("the link") { client.isUp }
        return client
    }

    private func later(_ text: String, seconds: Double) -> Publication {
        Publication(destination: .queue(queue), message: .text(text), delaySeconds: seconds)
    }

    @Test("the last host of a queue puts what waits for its time into the list, the first due first; another keeps it")
    func lastHost() throws {
        let (first, second) = (try client(), try client())
        for host in [first, second] { host.consume(queue, credit: 5) }
        let other = try client()
        other.consume(QueueDeclaration(name: "other"), credit: 1)
        try first.publish([later("b", seconds: 600), later("a", seconds: 300)])
        try first.wait("both hosts to be known") { (try? server.answer("HLEN", "taskhost-queues")) == "3" }
        try first.close()
        #expect(try server.answer("ZCARD", "taskhost-delayed:work") == "2")
        try second.close()
        #expect(try server.answer("ZCARD", "taskhost-delayed:work") == "0")
        #expect(try server.answer("LLEN", "work") == "2")
        #expect(try server.answer("RPOP", "work").contains(Data("a".utf8).base64EncodedString()))
        // Of those who left nothing is remembered.
        #expect(try server.answer("HLEN", "taskhost-queues") == "1")
        try other.close()
        #expect(try server.answer("EXISTS", "taskhost-queues", "taskhost-hosts", "taskhost-starts") == "0")
    }

    @Test("by hand it is done once no host serves the queue, and refused before")
    func byHand() throws {
        let still = try EpollLoop()
        let killed = BrokerClient(
            RedisBroker(address: try RedisAddress(url: "unix://\(server.socket)?db=0"), loop: still), still)
        killed.broker.connect(events: killed)
        try killed.wait("the link") { killed.isUp }
        killed.consume(queue, credit: 5)
        try killed.publish([later("a", seconds: 300)])
        try killed.wait("it to be known") { (try? server.answer("HLEN", "taskhost-queues")) == "1" }
        let hand = try client()
        func handOver() throws -> Result<Int, BrokerFailure> {
            var answer: Result<Int, BrokerFailure>?
            hand.broker.handOver(queue: queue.name) { answer = $0 }
            try hand.wait("an answer") { answer != nil }
            return answer ?? .success(-1)
        }
        if case .failure(let failure) = try handOver() {
            #expect(failure.description.contains("a taskhost serves queue work"))
        } else {
            Issue.record("handed over beside a living host")
        }
        // Its lease is over.
        try server.command("DEL", "taskhost-hosts")
        #expect(try handOver().get() == 1)
        #expect(try handOver().get() == 0)
        #expect(try server.answer("LLEN", "work") == "1")
        try hand.close()
        withExtendedLifetime(killed) {}
    }

    @Test("a mailbox raises the deadline of its exchange with each question, and leaves nothing when it closes at once")
    func mailbox() throws {
        let control = RedisControl(address: try RedisAddress(url: "unix://\(server.socket)?db=0"), loop: loop)
        var heard = 0
        control.open(nodeName: "a", controlExchange: "celery") { _ in heard += 1 }
        control.broadcast(.text("one"), controlExchange: "celery")
        #expect(loop.run(until: { heard == 1 }, timeoutSeconds: 15))
        let bindings = "_kombu.binding.reply.celery.pidbox"
        #expect(try server.answer("SCARD", bindings) == "1")
        // An hour has passed, and a Python worker has swept.
        try server.command("ZADD", "_kombu.binding_deadlines", "1", "reply.celery.pidbox")
        try server.command("DEL", bindings)
        control.broadcast(.text("two"), controlExchange: "celery")
        #expect(loop.run(until: { heard == 2 }, timeoutSeconds: 15))
        #expect(try server.answer("SCARD", bindings) == "1")
        let deadline = Double(try server.answer("ZSCORE", "_kombu.binding_deadlines", "reply.celery.pidbox")) ?? 0
        #expect(deadline > 1e12)
        control.close()
        let isGone = loop.run(until: { (try? server.answer("SCARD", bindings)) == "0" }, timeoutSeconds: 15)
        #expect(isGone)
    }
}
