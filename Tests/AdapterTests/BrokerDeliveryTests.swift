// What every broker does with a message on its way to us.
import Ports
import TaskModel
import Testing

@Suite("Every broker, delivering", .serialized)
struct BrokerDeliveryTests {
    @Test("a published message is delivered with equal body, headers and properties", arguments: BrokerKind.allCases)
    func isDeliveredUnchanged(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        var properties = MessageProperties()
        properties.contentType = "application/json"
        properties.contentEncoding = "utf-8"
        properties.correlationID = "c-1"
        properties.replyTo = "r-1"
        properties.priority = 0
        properties.deliveryMode = 2
        properties.messageID = "m-1"
        properties.timestamp = 1_700_000_000
        properties.type = "t"
        properties.appID = "a"
        let headers: FieldTable = [
            "none": .null, "yes": .bool(true), "no": .bool(false), "int": .int(3), "big": .int(.max),
            "negative": .int(-5_000_000_000), "whole": .double(3), "part": .double(0.1), "text": .string("grüße 🙂\n"),
            "binary": .bytes([0xff, 0x00, 0xfe]), "when": .timestamp(1_700_000_000),
            "list": .array([.int(1), .double(1), .null, .string("")]),
            "table": .table(["inner": .table(["$bytes": .string("not what it seems")]), "empty": .table([:])]),
        ]
        let message = WireMessage(properties: properties, headers: headers, body: [UInt8](0...255))
        try client.publish([Publication(destination: .queue(queue), message: message)])
        client.consume(queue, credit: 1)

        let delivery = try client.receive(1)[0]
        #expect(delivery.message.body == message.body)
        #expect(delivery.message.properties == properties)
        for field in headers.fields { #expect(delivery.message.headers[field.key] == field.value, "\(field.key)") }
        #expect(delivery.message.headers.fields.count == headers.fields.count)
        #expect(delivery.queue == queue.name)
        #expect(!delivery.redelivered)
        try client.close()
    }

    @Test("a message of nothing at all is delivered", arguments: BrokerKind.allCases)
    func emptyMessage(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        try client.publish([Publication(destination: .queue(queue), message: WireMessage(body: []))])
        client.consume(queue, credit: 1)
        let delivery = try client.receive(1)[0]
        #expect(delivery.message.body.isEmpty)
        #expect(delivery.message.headers.fields.isEmpty)
        try client.close()
    }

    @Test("a body of 1 MiB is delivered whole", arguments: BrokerKind.allCases)
    func largeBody(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        let body = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try client.publish([Publication(destination: .queue(queue), message: WireMessage(body: body))])
        client.consume(queue, credit: 1)
        #expect(try client.receive(1)[0].message.body == body)
        try client.close()
    }

    @Test("the default exchange leads to the queue named by the routing key", arguments: BrokerKind.allCases)
    func defaultExchange(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        // Makes the queue where brokers need one.
        try client.publish(["first"], to: queue)
        try client.publish([
            Publication(destination: .exchange("", routingKey: queue.name), message: .text("second"))
        ])
        client.consume(queue, credit: 2)
        #expect(try client.receive(2).map(\.text) == ["first", "second"])
        try client.close()
    }

    @Test("an exchange that does not exist is an error, not a loss", arguments: BrokerKind.allCases)
    func noSuchExchange(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        #expect(throws: BrokerFailure.self) {
            try client.publish([
                Publication(destination: .exchange("nowhere-\(kind)", routingKey: "x"), message: .text("lost?"))
            ])
        }
        try client.close()
    }

    @Test("messages of equal priority come in the order they were sent", arguments: BrokerKind.allCases)
    func order(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        let bodies = (0..<200).map(String.init)
        try client.publish(bodies, to: queue)
        client.consume(queue, credit: 200)
        #expect(try client.receive(200).map(\.text) == bodies)
        try client.close()
    }

    @Test("a more urgent priority overtakes 1,000 waiting ones", arguments: BrokerKind.allCases)
    func priority(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue(maxPriority: 9)
        try client.publish((0..<1000).map(String.init), to: queue, priority: kind.priorities.last)
        client.consume(queue, credit: 2)
        try client.receive(2)
        try client.publish(["urgent"], to: queue, priority: kind.priorities.first)
        for delivery in client.deliveries { client.broker.acknowledge(delivery.tag) }
        try client.receive(4)
        #expect(client.deliveries[2...3].contains { $0.text == "urgent" })
        try client.close()
    }

    @Test("a delayed message comes late, never early", arguments: BrokerKind.allCases)
    func delay(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        client.consume(queue, credit: 10)
        try client.publish(["at once"], to: queue)
        let start = ContinuousClock.now
        try client.publish([Publication(destination: .queue(queue), message: .text("later"), delaySeconds: 2)])
        try client.receive(2)
        let waited = ContinuousClock.now - start
        #expect(client.deliveries.map(\.text) == ["at once", "later"])
        #expect(waited >= .seconds(1.9), "came after \(waited)")
        #expect(waited < .seconds(6), "came after \(waited)")
        try client.close()
    }

    @Test("a message sent to an idle consumer is there at once, not at the next look", arguments: BrokerKind.allCases)
    func wakesUp(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let (consumer, publisher) = (try place.client(), try place.client())
        let queue = place.queue()
        consumer.consume(queue, credit: 1)
        try publisher.publish(["warm-up"], to: queue)
        consumer.broker.acknowledge(try consumer.receive(1)[0].tag)
        try consumer.settle()
        let start = ContinuousClock.now
        try publisher.publish(["now"], to: queue)
        let confirmed = ContinuousClock.now - start
        try consumer.receive(2)
        let waited = ContinuousClock.now - start
        // A file is looked at once a second anyway; a server on a loaded machine may take its time.
        let bound = kind.system.servesOneMachine ? Duration.milliseconds(900) : .seconds(5)
        #expect(waited < bound, "took \(waited), \(confirmed) of it until the confirm")
        try consumer.close()
        try publisher.close()
    }

    @Test("two consumers share the messages, each gets its own", arguments: BrokerKind.allCases)
    func sharing(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let (first, second) = (try place.client(), try place.client())
        let queue = place.queue()
        let bodies = (0..<100).map(String.init)
        try first.publish(bodies, to: queue)
        for client in [first, second] { client.consume(queue, credit: 4) }
        // Neither goes on before both have something: one alone could be quick enough for all.
        try first.wait("something for both") { !first.deliveries.isEmpty && !second.deliveries.isEmpty }
        for client in [first, second] {
            client.onDelivery = { [unowned client] in client.broker.acknowledge($0.tag) }
            for delivery in client.deliveries { client.broker.acknowledge(delivery.tag) }
        }
        try first.wait("all 100") { first.deliveries.count + second.deliveries.count >= 100 }
        #expect((first.deliveries + second.deliveries).map(\.text).sorted() == bodies.sorted())
        try first.close()
        try second.close()
    }
}
