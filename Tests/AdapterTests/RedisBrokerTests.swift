// What the Redis broker does beyond the port's sentences; each test has a server of its own.
import Foundation
import Loop
import Ports
import Redis
import TaskModel
import Testing

@Suite("Redis broker", .serialized)
struct RedisBrokerTests {
    private let server: PrivateRedis
    private let loop: EpollLoop
    private let queue = QueueDeclaration(name: "work")

    init() throws {
        server = try PrivateRedis()
        loop = try EpollLoop()
        try server.start()
    }

    @Test("what a dead host held comes back when its lease is over, marked, in its old order")
    func deadHost() throws {
        // A loop that is not run any more is a process that says nothing.
        let stopped = try EpollLoop()
        let dying = try client(lease: 1, on: stopped)
        try dying.publish(["a", "b", "c"], to: queue)
        dying.consume(queue, credit: 2)
        try dying.receive(2)
        let heir = try client(lease: 1)
        heir.consume(queue, credit: 3)
        let deliveries = try heir.receive(3)
        #expect(deliveries.map(\.text) == ["c", "a", "b"])
        #expect(deliveries.map(\.redelivered) == [false, true, true])
        try heir.close()
        withExtendedLifetime(dying) {}
    }

    @Test("a host that others took for dead learns of it, and settles nothing of theirs")
    func tookForDead() throws {
        let stopped = try EpollLoop()
        let frozen = try client(lease: 1, on: stopped)
        try frozen.publish(["a"], to: queue)
        frozen.consume(queue, credit: 1)
        let tag = try frozen.receive(1)[0].tag
        let heir = try client(lease: 1)
        heir.consume(queue, credit: 1)
        try heir.receive(1)
        frozen.broker.acknowledge(tag)
        try frozen.wait("the loss") { frozen.losses == 1 }
        #expect(try server.answer("HLEN", "unacked") == "1")
        try heir.close()
        try frozen.close()
    }

    @Test("what is held for longer than the visibility time-out is not delivered twice")
    func heldForLong() throws {
        let (holding, other) = (try client(lease: 0.6, visibility: 1), try client(lease: 0.6, visibility: 1))
        try holding.publish(["long"], to: queue)
        holding.consume(queue, credit: 1)
        let tag = try holding.receive(1)[0].tag
        other.consume(queue, credit: 5)
        let start = ContinuousClock.now
        try other.wait("three time-outs") { ContinuousClock.now - start > .seconds(3) }
        #expect(other.deliveries.isEmpty)
        holding.broker.acknowledge(tag)
        try holding.settle()
        #expect(try server.answer("HLEN", "unacked") == "0")
        #expect(try server.answer("ZCARD", "unacked_index") == "0")
        try holding.close()
        try other.close()
    }

    @Test("what a Python worker held for too long comes back to the queue of its routing key")
    func pythonsUnacked() throws {
        let envelope =
            #"{"body": "aGk=", "content-encoding": "utf-8", "content-type": "text/plain", "headers": {"id": "i"}, "#
            + #""properties": {"delivery_info": {"exchange": "", "routing_key": "work"}, "priority": 4, "#
            + #""body_encoding": "base64", "delivery_tag": "T"}}"#
        try server.command("HSET", "unacked", "T", "[\(envelope), \"\", \"work\"]")
        try server.command("ZADD", "unacked_index", "1000", "T")
        let client = try client(lease: 30)
        client.consume(queue, credit: 1)
        let delivery = try client.receive(1)[0]
        #expect(delivery.text == "hi")
        #expect(delivery.redelivered)
        #expect(delivery.message.properties.priority == 4)
        #expect(delivery.message.headers == ["id": .string("i")])
        try client.close()
    }

    @Test("a lost connection gives nothing up: what is held is settled over the next one")
    func lostConnection() throws {
        let client = try client(lease: 30)
        try client.publish(["a", "b"], to: queue)
        client.consume(queue, credit: 1)
        let tag = try client.receive(1)[0].tag
        try server.command("CLIENT", "KILL", "TYPE", "normal")
        client.broker.acknowledge(tag)
        try client.receive(2)
        #expect(client.deliveries.map(\.text) == ["a", "b"])
        #expect(client.deliveries.allSatisfy { !$0.redelivered })
        #expect(client.losses == 0)
        try client.settle()
        #expect(try server.answer("HLEN", "unacked") == "1")
        try client.close()
    }

    @Test("connections that are cut again and again lose nothing and repeat nothing")
    func cutAgainAndAgain() throws {
        let client = try client(lease: 30)
        let bodies = (0..<600).map(String.init)
        try client.publish(bodies, to: queue)
        client.onDelivery = { [unowned client] in client.broker.acknowledge($0.tag) }
        client.consume(queue, credit: 7)
        for cut in 1...8 {
            try client.receive(cut * 60)
            try server.command("CLIENT", "KILL", "TYPE", "normal")
        }
        try client.receive(600, seconds: 30)
        try client.settle()
        #expect(client.deliveries.map(\.text).sorted() == bodies.sorted())
        #expect(try server.answer("HLEN", "unacked") == "0")
        try client.close()
    }

    @Test("a delayed message waits outside its list and outlives its publisher")
    func delayedStays() throws {
        let publisher = try client(lease: 30)
        try publisher.publish([
            Publication(destination: .queue(queue), message: .text("later"), delaySeconds: 1)
        ])
        try publisher.close()
        #expect(try server.answer("LLEN", "work") == "0")
        #expect(try server.answer("ZCARD", "taskhost-delayed:work") == "1")
        let client = try client(lease: 30)
        client.consume(queue, credit: 1)
        #expect(try client.receive(1)[0].text == "later")
        try client.close()
    }

    @Test("something that is no envelope is delivered, marked as unreadable")
    func garbage() throws {
        try server.command("LPUSH", "work", "{not json}")
        let client = try client(lease: 30)
        client.consume(queue, credit: 1)
        let delivery = try client.receive(1)[0]
        #expect(delivery.message.headers["taskhost-wire-error"] != nil)
        client.broker.acknowledge(delivery.tag)
        try client.settle()
        try client.close()
    }

    @Test("an envelope is read as Python reads it: in any order, with escapes, the last of two members counts")
    func oddEnvelope() throws {
        let envelope =
            #"{"properties":{"priority":3,"reply_to":"gone"},"headers":{"id":"old"},"body":"\u0057\/8=","x":[{"y":[]}],"#
            + #""headers":{"task":"t","id":"a","no":1,"id":"b","redelivered":true,"when":{"__type__":"datetime","#
            + #""__value__":"2026-11-23T06:30:00Z"},"n":null,"long":12345678901234567890},"#
            + #""properties":{"delivery_info":{"routing_key":"r","exchange":"e","exchange":"f"},"body_\u0065ncoding":"#
            + #""base64","delivery_tag":"T","correlation_id":"c","delivery_mode":2,"expiration":7,"timestamp":9},"#
            + #""content-type":"application/json","content-encoding":null}"#
        try server.command("LPUSH", "work", envelope)
        let client = try client(lease: 30)
        client.consume(queue, credit: 1)
        let delivery = try client.receive(1)[0]
        let message = delivery.message
        #expect(message.body == [0x5B, 0xFF])
        #expect(
            message.headers == [
                "task": .string("t"), "id": .string("b"), "no": .int(1), "when": .timestamp(1_795_415_400), "n": .null,
                "long": .string("12345678901234567890"),
            ])
        var properties = MessageProperties()
        properties.contentType = "application/json"
        properties.correlationID = "c"
        properties.deliveryMode = 2
        properties.timestamp = 9
        #expect(message.properties == properties)
        #expect(delivery.exchange == "f" && delivery.routingKey == "r" && delivery.redelivered)
        try client.close()
    }

    @Test("of headers that come twice the last value counts, with escapes and among many", .timeLimit(.minutes(1)))
    func headersTwice() throws {
        // As many as an envelope may have, made by the server: a command line takes less. Each compared with all others,
        // they held a host up for minutes.
        let script = #"""
            local many = {}
            for i = 0, 89999 do many[#many + 1] = '"k' .. i .. '":' .. i end
            redis.call('LPUSH', 'work', '{"body":"","properties":{},"headers":{"id":"a","\\u0069d":"b","\\u0074ask":"t",'
              .. '"task":"u",' .. table.concat(many, ',') .. ',"k89999":"last","k7":"7","id":"c"}}')
            """#
        try server.command("EVAL", script, "0")
        let client = try client(lease: 30)
        client.consume(queue, credit: 1)
        let found = try client.receive(1)[0].message.headers
        #expect(found.fields.count == 90_002)
        #expect(found["id"] == .string("c") && found["task"] == .string("u"))
        #expect(found["k89999"] == .string("last") && found["k7"] == .string("7"))
        try client.close()
    }

    @Test(
        "an envelope that lacks what it needs says what",
        arguments: [
            (#"{"properties":{}}"#, "no properties or no body"), (#"{"body":"W1td"}"#, "no properties or no body"),
            (#"{"body":"W1td","properties":[]}"#, "no properties or no body"), ("[1]", "no properties or no body"),
            (#"{"body":"\ud800","properties":{}}"#, "no properties or no body"),
            (#"{"body":"W1t","properties":{"body_encoding":"base64"}}"#, "no base64"),
            (#"{"body":"W1td","properties":{}} x"#, "no JSON"),
        ])
    func poorEnvelope(envelope: String, reason: String) throws {
        try server.command("LPUSH", "work", envelope)
        let client = try client(lease: 30)
        client.consume(queue, credit: 1)
        let said = try client.receive(1)[0].message.headers["taskhost-wire-error"]?.text ?? ""
        #expect(said.contains(reason))
        try client.close()
    }

    @Test("an envelope whose shown arguments are no Unicode is read")
    func shownSurrogates() throws {
        let envelope =
            #"{"body":"W1td","content-encoding":"utf-8","content-type":"application/json","headers":"#
            + #"{"task":"t","id":"a","argsrepr":"('\udcff',)"},"properties":{"delivery_info":{}}}"#
        try server.command("LPUSH", "work", envelope)
        let client = try client(lease: 30)
        client.consume(queue, credit: 1)
        let headers = try client.receive(1)[0].message.headers
        #expect(headers["taskhost-wire-error"] == nil && headers["id"]?.text == "a")
        #expect(headers["argsrepr"]?.text == #"('\udcff',)"#)
        try client.close()
    }

    @Test("a message that can be taken and not be written down stays in its queue")
    func refusedRecord() throws {
        let client = try client(lease: 30)
        try client.publish(["a"], to: queue)
        // Of another kind than what is written there.
        try server.command("SET", "unacked", "x")
        client.consume(queue, credit: 1)
        try client.wait("the refusal") { client.blockedReasons.contains { $0?.contains("WRONGTYPE") ?? false } }
        #expect(try server.answer("LLEN", "work") == "1")
        try server.command("DEL", "unacked")
        #expect(try client.receive(1).map(\.text) == ["a"])
        // The same on its way back.
        try server.command("SET", "other", "x")
        try server.command("RENAME", "other", "work")
        client.broker.reject(client.deliveries[0].tag, requeue: true)
        try client.wait("the second refusal") { client.blockedReasons.compactMap { $0 }.count > 1 }
        #expect(try server.answer("HLEN", "unacked") == "1")
        try server.command("DEL", "work")
        try client.close()
    }

    @Test("a key that is no list keeps nobody from the other queues, and is named")
    func brokenList() throws {
        try server.command("SET", "broken", "x")
        let client = try client(lease: 30)
        try client.publish(["a"], to: queue)
        client.consume(QueueDeclaration(name: "broken"), queue, credit: 1)
        #expect(try client.receive(1).map(\.text) == ["a"])
        try client.wait("the name") { client.blockedReasons.contains { $0?.contains("(broken)") ?? false } }
        try client.close()
    }

    @Test("who has never reached Redis holds nothing there, and ends at once")
    func neverReached() throws {
        let address = try RedisAddress(url: "unix:///nonexistent/redis.sock?db=0")
        for isConnected in [false, true] {
            let client = BrokerClient(RedisBroker(address: address, loop: loop), loop)
            if isConnected {
                client.broker.connect(events: client)
                try client.wait("the refusal") { client.losses > 0 }
            }
            client.broker.consume([queue])
            var isClosed = false
            client.broker.close { isClosed = true }
            #expect(isClosed)
        }
    }

    @Test("when Redis is back after an outage, the link is there within about a second")
    func outage() throws {
        let client = try client(lease: 30)
        client.consume(queue, credit: 1)
        try server.kill()
        // Long enough for a pause that doubles to become long.
        var hasPassed = false
        _ = loop.schedule(afterSeconds: 12) { hasPassed = true }
        try client.wait("the outage", seconds: 30) { hasPassed }
        try server.start()
        let back = ContinuousClock.now
        try client.publish(["a"], to: queue)
        try client.receive(1)
        let passed = ContinuousClock.now - back
        #expect(passed < .seconds(3), "it took \(passed)")
        try client.close()
    }

    @Test("an exchange leads to the queues that are bound to it")
    func bindings() throws {
        let separator = "\u{06}\u{16}"
        try server.command("SADD", "_kombu.binding.topics", "a.*\(separator)^a\\.[^\\.]+$\(separator)work")
        try server.command("SADD", "_kombu.binding.topics", "b.#\(separator)^b\\..*?$\(separator)other")
        let client = try client(lease: 30)
        try client.publish([
            Publication(destination: .exchange("topics", routingKey: "a.x"), message: .text("matches"))
        ])
        #expect(throws: BrokerFailure.self) {
            try client.publish([
                Publication(destination: .exchange("topics", routingKey: "a.x.y"), message: .text("does not"))
            ])
        }
        client.consume(queue, credit: 5)
        let delivery = try client.receive(1)[0]
        #expect((delivery.exchange, delivery.routingKey) == ("topics", "a.x"))
        try client.close()
    }

    @Test("an idle consumer is told of each message by the server, not by looking")
    func isTold() throws {
        let client = try client(lease: 30)
        client.consume(queue, credit: 100)
        try client.publish(["warm-up"], to: queue)
        try client.receive(1)
        // The server's mark of a connection whose reads it remembers.
        try client.wait("tracking") { isTracked() }
        let start = ContinuousClock.now
        for number in 0..<10 {
            try client.publish(["\(number)"], to: queue)
            try client.receive(number + 2)
        }
        let waited = ContinuousClock.now - start
        // By looking once a second it would be about five.
        #expect(waited < .seconds(2.5), "took \(waited)")
        try client.close()
    }

    private func isTracked() -> Bool {
        do {
            return try server.answer("CLIENT", "LIST").contains("flags=t")
        } catch {
            return false
        }
    }

    private func client(lease: Double, visibility: Double = 3600, on other: EpollLoop? = nil) throws -> BrokerClient {
        var options = RedisBrokerOptions()
        options.leaseSeconds = lease
        options.visibilitySeconds = visibility
        let address = try RedisAddress(url: "unix://\(server.socket)?db=0")
        let broker = RedisBroker(address: address, loop: other ?? loop, options: options)
        let client = BrokerClient(broker, other ?? loop)
        broker.connect(events: client)
        try client.wait("the link") { client.isUp }
        return client
    }
}
