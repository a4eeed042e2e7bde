// What comes back often, and what is requeued for others: nothing is lost, nothing goes in circles.
import Ports
import TaskModel
import Testing

@testable import Engine

@Suite("Messages that come back")
struct ReturnsTests {
    /// As a quorum queue hands out what has come back often.
    private func deliverNearLimit(_ id: String, to world: SimulatedWorld) {
        world.send(id)
        var message = world.waiting.removeLast().message
        message.headers[BrokerHeaders.deliveryCount] = .int(10)
        message.headers[BrokerHeaders.acquiredCount] = .int(12)
        let tag = DeliveryTag(link: world.link, number: 1_000_000)
        world.unsettled[tag] = message
        world.post(
            .delivered(
                Delivery(
                    tag: tag, queue: "q", exchange: "", routingKey: "q", redelivered: true, deliveryCount: 10,
                    isNearLimit: true, message: message)))
    }

    @Test(
        "before the broker drops what came back often, a copy without its counts is confirmed, then it is acknowledged")
    func resent() {
        let world = SimulatedWorld(seed: 1)
        world.connect()
        deliverNearLimit("often", to: world)
        world.run()
        #expect(world.results["often"] == .success && world.starts["often"] == 1)
        #expect(world.acknowledged.map { $0.headers[BrokerHeaders.deliveryCount] } == [.int(10), nil])
        #expect(world.acknowledged.last?.headers[BrokerHeaders.acquiredCount] == nil)
        #expect(world.unsettled.isEmpty && world.waiting.isEmpty && world.dead.isEmpty && world.violations.isEmpty)
    }

    @Test("what has succeeded meanwhile is not published again")
    func done() {
        let world = SimulatedWorld(seed: 1)
        world.connect()
        world.send("done")
        world.run()
        deliverNearLimit("done", to: world)
        world.run()
        #expect(world.starts["done"] == 1 && world.acknowledged.count == 2)
    }

    @Test("after a burst the newest of what has not begun is requeued for others, each message once")
    func shared() {
        let world = SimulatedWorld(seed: 1)
        world.duration = 1_000...1_000
        for number in 0..<40 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: 2)
        world.credit = 30
        world.deliver()
        #expect(world.unsettled.count == 30 && world.starts.count == 2)
        world.credit = 4
        world.post(.holdsTooMuch(queue: "q", credit: 4))
        #expect(world.unsettled.count == 4 && world.waiting.count { $0.redelivered } == 26)
        #expect(world.starts.count == 2)
        // They come again: to requeue them for ever helps no worker.
        world.credit = 30
        world.deliver()
        world.post(.holdsTooMuch(queue: "q", credit: 4))
        let again = world.core.inFlight.values.filter { $0.delivery.redelivered }
        #expect(again.count >= 10)
        world.run()
        #expect(world.results.count == 40 && world.results.values.allSatisfy { $0 == .success })
        #expect(world.starts.values.allSatisfy { $0 == 1 } && world.violations.isEmpty)
    }
}
