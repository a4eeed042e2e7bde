// What nobody's client sends: frames written by hand.
import Glibc
import Ports
import TaskModel
import Testing

@testable import RabbitMQ

extension RabbitMQServerTests {
    /// Publishes a message whose header table is nested so deep, past every encoder.
    private func publishNested(_ depth: Int, to queue: String) throws {
        func word(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
        func frame(_ type: UInt8, _ payload: [UInt8]) -> [UInt8] {
            [type, 0, 1] + word(payload.count) + payload + [0xCE]
        }
        var table: [UInt8] = []
        // Written from the outermost on: each level holds one field "a" of type F.
        for level in 0...depth {
            table += word((depth - level) * 7)
            if level < depth { table += [1, UInt8(ascii: "a"), UInt8(ascii: "F")] }
        }
        let name = Array(queue.utf8)
        let method: [UInt8] = [0, 60, 0, 40, 0, 0, 0, UInt8(name.count)] + name + [0]
        let header: [UInt8] = [0, 60, 0, 0] + word(0) + word(0) + [0x20, 0] + table
        let connection = try AMQPConnection(to: try Lab.address(), duty: "hostile", options: RabbitMQOptions())
        try connection.openChannel(1)
        let bytes = frame(1, method) + frame(2, header)
        #expect(send(connection.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
        // The broker has taken it when it answers what came after it.
        try connection.closeChannel(1)
        connection.close()
    }

    @Test(
        "a header table nested thousands of levels deep arrives marked as unfit, and harms nobody",
        arguments: [9, 18_000])
    func deepHeaders(depth: Int) throws {
        let rig = try Rig()
        let queue = QueueDeclaration(name: Lab.queue("deep"))
        try rig.publish(["fine"], to: queue)
        try publishNested(7, to: queue.name)
        try publishNested(depth, to: queue.name)
        rig.broker.consume([queue])
        rig.broker.setCredit(10, queue: queue.name)
        try rig.wait("3") { rig.deliveries.count == 3 }
        #expect(rig.deliveries[1].message.headers["taskhost-wire-error"] == nil)
        #expect(rig.deliveries[2].message.headers["taskhost-wire-error"]?.text?.contains("8 levels") ?? false)
        try rig.close()
    }
}
