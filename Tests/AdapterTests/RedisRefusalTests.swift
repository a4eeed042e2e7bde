// Commands of the Redis broker that its server refuses while it runs: nothing is dropped, and the reason is reported.
import Foundation
import Loop
import Ports
import Redis
import TaskModel
import Testing

@Suite("Redis broker, when commands are refused", .serialized)
struct RedisRefusalTests {
    private let server: PrivateRedis
    private let loop: EpollLoop
    private let queue = QueueDeclaration(name: "work")

    init() throws {
        server = try PrivateRedis()
        loop = try EpollLoop()
        try server.start()
        try server.command("ACL", "SETUSER", "worker", "on", ">pw", "~*", "&*", "+@all")
    }

    @Test("an acknowledgement is sent again until it is taken, with the reason, and nothing is fetched meanwhile")
    func acknowledgement() throws {
        let client = try client()
        try client.publish(["b", "c"], to: queue)
        let tag = try hold("a", client)
        try may("-hdel")
        // The next one is asked for together with it.
        client.broker.acknowledge(tag)
        client.broker.acknowledge(try client.receive(2)[1].tag)
        try client.refusal()
        client.broker.recreateConsumers(because: "a test")
        // What would be fetched meanwhile has come by then.
        try attempts("hdel", 4, client)
        #expect(client.deliveries.map(\.text) == ["b", "c"])
        try may("+hdel")
        #expect(try client.receive(3).map(\.text) == ["b", "c", "a"])
        try waitUntil("HLEN", "unacked", is: "1", client)
        try client.wait("the word that it works again") { client.blockedReasons.last == .some(nil) }
        #expect(client.losses == 0 && client.deliveries.allSatisfy { !$0.redelivered })
        try client.close()
    }

    @Test("an acknowledgement that is refused when nothing is consumed any more is sent again, too")
    func acknowledgementAtStop() throws {
        let client = try client()
        let tag = try hold("a", client)
        var isStopped = false
        client.broker.stopConsuming { isStopped = true }
        try client.wait("the stop") { isStopped }
        try may("-hdel")
        client.broker.acknowledge(tag)
        try client.refusal()
        try may("+hdel")
        try waitUntil("HLEN", "unacked", is: "0", client)
        try client.close()
    }

    @Test("a message whose acknowledgement was never taken is delivered again when its host is gone")
    func hostGone() throws {
        // A loop that is not run any more is a process that is gone.
        let dying = try client(on: try EpollLoop())
        let tag = try hold("a", dying)
        try may("-hdel")
        dying.broker.acknowledge(tag)
        try dying.refusal()
        try may("+hdel")
        let heir = try client()
        heir.consume(queue, credit: 1)
        let delivery = try heir.receive(1)[0]
        #expect(delivery.text == "a" && delivery.redelivered)
        try heir.close()
        withExtendedLifetime(dying) {}
    }

    @Test("acknowledgements that can never be taken are a lost link, and it goes on under another name")
    func neverTaken() throws {
        let client = try client()
        let tag = try hold("a", client)
        try server.command("DEL", "unacked_index")
        try server.command("SET", "unacked_index", "x")
        client.broker.acknowledge(tag)
        try client.wait("the loss") { client.losses == 1 }
        #expect(client.lossReasons[0].contains("could not be settled"), "\(client.lossReasons)")
        #expect(client.lossReasons[0].contains("WRONGTYPE"), "\(client.lossReasons)")
        try server.command("DEL", "unacked_index")
        // Its old name's lease runs out, and it was never settled.
        #expect(try client.receive(2).map(\.text) == ["a", "a"])
        try client.close()
    }

    @Test("a message that may not go back to its queue is held until it may, not copied", arguments: ["hdel", "rpush"])
    func rejection(command: String) throws {
        let client = try client()
        let tag = try hold("a", client)
        try may("-\(command)")
        client.broker.reject(tag, requeue: true)
        try client.refusal()
        try attempts(command, 3, client)
        #expect(try server.answer("LLEN", "work") == "0")
        #expect(try server.answer("HLEN", "unacked") == "1")
        try may("+\(command)")
        let delivery = try client.receive(2)[1]
        #expect(delivery.text == "a" && delivery.redelivered)
        #expect(client.losses == 0)
        try client.close()
    }

    @Test("a queue that takes nothing back keeps the messages of others from none of theirs")
    func brokenQueue() throws {
        let client = try client()
        let other = QueueDeclaration(name: "other")
        try client.publish(["a"], to: queue)
        try client.publish(["b"], to: other)
        client.consume(queue, other, credit: 1)
        let deliveries = try client.receive(2).sorted { $0.text < $1.text }
        try server.command("SET", "work", "x")
        for delivery in deliveries { client.broker.reject(delivery.tag, requeue: true) }
        #expect(try client.receive(3)[2].text == "b")
        try server.command("DEL", "work")
        #expect(try client.receive(4)[3].text == "a")
        try client.close()
    }

    @Test("a message that may not be removed from its list stays there, once")
    func fetch() throws {
        let client = try client()
        client.broker.acknowledge(try hold("a", client))
        try may("-rpop")
        try client.publish(["b"], to: queue)
        try client.refusal()
        try attempts("rpop", 3, client)
        #expect(try server.answer("LLEN", "work") == "1")
        #expect(try server.answer("HLEN", "unacked") == "0")
        #expect(try server.answer("ZCARD", "unacked_index") == "0")
        try may("+rpop")
        #expect(try client.receive(2).map(\.text) == ["a", "b"])
        try client.close()
    }

    @Test("that what dead hosts held cannot be looked for is reported")
    func sweep() throws {
        let client = try client()
        client.broker.acknowledge(try hold("a", client))
        try may("-hlen")
        try client.refusal()
        try may("+hlen")
        try client.wait("the end of it") { client.blockedReasons.last == .some(nil) }
        try client.close()
    }

    /// Publishes it, and holds the first in line.
    private func hold(_ body: String, _ client: BrokerClient) throws -> DeliveryTag {
        try client.publish([body], to: queue)
        client.consume(queue, credit: 1)
        return try client.receive(1)[0].tag
    }

    private func may(_ rule: String) throws { try server.command("ACL", "SETUSER", "worker", rule) }

    private func waitUntil(_ words: String..., is expected: String, _ client: BrokerClient) throws {
        try client.wait("\(words) to be \(expected)") {
            do { return try server.answer(words) == expected } catch { return false }
        }
    }

    /// Waits until the server has refused it so often.
    private func attempts(_ command: String, _ count: Int, _ client: BrokerClient) throws {
        try client.wait("attempt \(count) of \(command)") {
            do {
                let lines = try server.answer("ACL", "LOG").split(separator: "\n")
                var (sum, last) = (0, 0)
                for (name, value) in zip(lines, lines.dropFirst()) {
                    if name == "count" { last = Int(value) ?? 0 }
                    if name == "object", value == command { sum += last }
                }
                return sum >= count
            } catch {
                return false
            }
        }
    }

    /// With a lease of a second.
    private func client(on other: EpollLoop? = nil) throws -> BrokerClient {
        var options = RedisBrokerOptions()
        options.leaseSeconds = 1
        let address = try RedisAddress(url: "unix://worker:pw@\(server.socket)?db=0")
        let broker = RedisBroker(address: address, loop: other ?? loop, options: options)
        let client = BrokerClient(broker, other ?? loop)
        broker.connect(events: client)
        try client.wait("the link") { client.isUp }
        return client
    }
}

extension BrokerClient {
    /// Waits for a reason that names the user; not all servers name the command.
    fileprivate func refusal() throws {
        try wait("a refusal") { blockedReasons.contains { $0?.contains("does not let user 'worker'") ?? false } }
    }
}
