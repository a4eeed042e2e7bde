// What every broker does with what we hold: credit, acknowledgement, return.
import Ports
import TaskModel
import Testing

@Suite("Every broker, settling", .serialized)
struct BrokerSettlementTests {
    @Test("credit bounds what is held", arguments: BrokerKind.allCases)
    func creditBounds(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        try client.publish((0..<10).map(String.init), to: queue)
        client.consume(queue, credit: 3)
        try client.receive(3)
        try client.settle()
        #expect(client.deliveries.count == 3)
        client.broker.acknowledge(client.deliveries[0].tag)
        try client.receive(4)
        try client.settle()
        #expect(client.deliveries.count == 4)
        try client.close()
    }

    @Test("more credit brings more", arguments: BrokerKind.allCases)
    func creditGrows(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        try client.publish((0..<10).map(String.init), to: queue)
        client.consume(queue, credit: 1)
        try client.receive(1)
        client.broker.setCredit(10, queue: queue.name)
        #expect(try client.receive(10).map(\.text) == (0..<10).map(String.init))
        try client.close()
    }

    @Test("a queue without credit is paused, another goes on", arguments: BrokerKind.allCases)
    func creditZero(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let (paused, open) = (place.queue("paused"), place.queue("open"))
        try client.publish(["stays"], to: paused)
        try client.publish(["comes"], to: open)
        client.broker.consume([paused, open])
        client.broker.setCredit(0, queue: paused.name)
        client.broker.setCredit(5, queue: open.name)
        try client.receive(1)
        try client.settle()
        #expect(client.deliveries.map(\.text) == ["comes"])
        client.broker.setCredit(1, queue: paused.name)
        #expect(try client.receive(2)[1].text == "stays")
        try client.close()
    }

    @Test("an acknowledged message does not come back", arguments: BrokerKind.allCases)
    func acknowledged(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        try client.publish((0..<100).map(String.init), to: queue)
        client.consume(queue, credit: 100)
        // Newest first: nothing may depend on the order of acknowledgement.
        for delivery in try client.receive(100).reversed() where delivery.text != "50" {
            client.broker.acknowledge(delivery.tag)
        }
        try client.close()

        let next = try place.client()
        next.consume(queue, credit: 100)
        try next.receive(1)
        try next.settle()
        #expect(next.deliveries.map(\.text) == ["50"])
        try next.close()
    }

    @Test("an unacknowledged one comes back when the link closes, marked", arguments: BrokerKind.allCases)
    func redelivered(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        try client.publish(["held"], to: queue)
        client.consume(queue, credit: 1)
        #expect(try !client.receive(1)[0].redelivered)
        try client.close()

        let next = try place.client()
        next.consume(queue, credit: 1)
        let again = try next.receive(1)[0]
        #expect(again.text == "held")
        #expect(again.redelivered)
        try next.close()
    }

    @Test("one rejected with requeue comes back, marked, in its old place", arguments: BrokerKind.allCases)
    func requeued(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        try client.publish(["a", "b", "c"], to: queue)
        client.consume(queue, credit: 1)
        client.broker.reject(try client.receive(1)[0].tag, requeue: true)
        let again = try client.receive(2)[1]
        #expect(again.text == "a")
        #expect(again.redelivered)
        client.broker.acknowledge(again.tag)
        let next = try client.receive(3)[2]
        #expect(next.text == "b")
        #expect(!next.redelivered)
        try client.close()
    }

    @Test("one rejected with requeue just before the link closes is there for others", arguments: BrokerKind.allCases)
    func requeuedAtTheEnd(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        try client.publish(["a", "b", "c"], to: queue)
        client.consume(queue, credit: 2)
        client.broker.reject(try client.receive(2)[0].tag, requeue: true)
        client.broker.reject(client.deliveries[1].tag, requeue: true)
        try client.close()

        let next = try place.client()
        next.consume(queue, credit: 10)
        #expect(try next.receive(3).map(\.text) == ["a", "b", "c"])
        try next.close()
    }

    @Test("one rejected without requeue is gone", arguments: BrokerKind.allCases)
    func rejected(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        try client.publish(["bad", "good"], to: queue)
        client.consume(queue, credit: 1)
        client.broker.reject(try client.receive(1)[0].tag, requeue: false)
        try client.receive(2)
        try client.close()

        let next = try place.client()
        next.consume(queue, credit: 10)
        try next.receive(1)
        try next.settle()
        #expect(next.deliveries.map(\.text) == ["good"])
        try next.close()
    }

    @Test("a tag of another link is dropped silently", arguments: BrokerKind.allCases)
    func staleTag(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        try client.publish(["held"], to: queue)
        client.consume(queue, credit: 1)
        let tag = try client.receive(1)[0].tag
        client.broker.acknowledge(DeliveryTag(link: tag.link &+ 7, number: tag.number))
        try client.settle()
        #expect(client.isUp)
        try client.close()

        let next = try place.client()
        next.consume(queue, credit: 1)
        #expect(try next.receive(1)[0].text == "held")
        try next.close()
    }

    @Test("after stopConsuming nothing comes, and what is held can be settled", arguments: BrokerKind.allCases)
    func stopping(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let client = try place.client()
        let queue = place.queue()
        try client.publish(["one", "two", "three"], to: queue)
        client.consume(queue, credit: 1)
        try client.receive(1)
        var isStopped = false
        client.broker.stopConsuming { isStopped = true }
        try client.wait("the stop") { isStopped }
        client.broker.acknowledge(client.deliveries[0].tag)
        try client.settle()
        #expect(client.deliveries.count == 1)
        try client.close()

        let next = try place.client()
        next.consume(queue, credit: 3)
        try next.receive(2)
        try next.settle()
        #expect(next.deliveries.map(\.text) == ["two", "three"])
        try next.close()
    }

    @Test("what was confirmed outlives the publisher", arguments: BrokerKind.allCases)
    func confirmedStays(kind: BrokerKind) throws {
        let place = try BrokerUnderTest(kind)
        let queue = place.queue()
        let publisher = try place.client()
        try publisher.publish((0..<500).map(String.init), to: queue)
        try publisher.close()
        let client = try place.client()
        client.onDelivery = { [unowned client] in client.broker.acknowledge($0.tag) }
        client.consume(queue, credit: 50)
        #expect(try client.receive(500).map(\.text) == (0..<500).map(String.init))
        try client.close()
    }
}
