// More queues than channels with large pages: their channels are opened before anything is consumed.
import Ports
import TaskModel
import Testing

@testable import RabbitMQ

extension RabbitMQServerTests {
    @Test("of many queues each delivers, however long its messages, and the loss of one ends no other")
    func manyQueues() throws {
        let rig = try Rig()
        let queues = (0..<AMQPConnection.mostLargeChannels + 8).map { QueueDeclaration(name: Lab.queue("many\($0)")) }
        for queue in queues { try rig.publish(["a"], to: queue) }
        let long = String(repeating: "x", count: 300_000)
        try rig.publish([long], to: queues[3])
        rig.broker.consume(queues)
        rig.acksAtOnce = true
        try rig.wait("all") { rig.deliveries.count == queues.count + 1 }
        #expect(Set(rig.deliveries.map(\.queue)) == Set(queues.map(\.name)))
        #expect(rig.bodies().contains(long))

        try Lab.ctl("delete_queue", queues[5].name)
        try rig.wait("the loss of one") { rig.cancelled == [queues[5].name] }
        for queue in queues { try rig.publish(["b"], to: queue) }
        try rig.publish([long], to: queues[5])
        try rig.wait("all again") { rig.deliveries.count == 2 * (queues.count + 1) }
        #expect(rig.ups == 1)
        for queue in [queues[5], queues[39]] {
            try rig.wait("every acknowledgement") { (try? rig.depth(queue.name)) ?? (1, 1) == (0, 0) }
        }
        try rig.close()
    }
}
