// After an outage: how soon it goes on, and what is said of consumers that the broker has ended.
import Foundation
import Ports
import TaskModel
import TestKit
import Testing

@testable import RabbitMQ

@Suite("Why the broker ended a consumer")
struct EndOfConsumerTests {
    private func time(_ seconds: Double) -> Instant { Instant(nanoseconds: UInt64(seconds * 1e9) + 1) }

    private func consumer(_ kind: QueueDeclaration.Kind) -> QueueConsumer {
        let consumer = QueueConsumer(
            QueueDeclaration(name: "q"), role: .tasks, credit: 1, backoff: RabbitMQOptions().backoff)
        consumer.seen(QueueSight(kind: kind, existed: true))
        return consumer
    }

    @Test("a quorum queue that is still there, of which something has been held for long: consumer_timeout is named")
    func timeout() {
        let consumer = consumer(.quorum)
        consumer.delivered(1, at: time(0))
        consumer.cancelledByBroker(at: time(130))
        consumer.seen(QueueSight(kind: .quorum, existed: true))
        let reason = consumer.reasonOfEnd()
        #expect(reason?.contains("for 130 s") ?? false, "\(reason ?? "")")
        #expect(reason?.contains("consumer_timeout") ?? false)
        #expect(consumer.reasonOfEnd() == nil, "told once")
    }

    @Test("a deleted queue is called deleted; of another, or of one held for a moment only, nothing is guessed")
    func others() {
        let deleted = consumer(.quorum)
        deleted.delivered(1, at: time(0))
        deleted.cancelledByBroker(at: time(130))
        deleted.seen(QueueSight(kind: .quorum, existed: false))
        #expect(deleted.reasonOfEnd()?.contains("deleted") ?? false)
        let brief = consumer(.quorum)
        brief.delivered(1, at: time(100))
        brief.cancelledByBroker(at: time(130))
        #expect(brief.reasonOfEnd() == nil)
        let idle = consumer(.quorum)
        idle.cancelledByBroker(at: time(130))
        #expect(idle.reasonOfEnd() == nil)
    }

    @Test("a consumer that is ended again and again is begun ever less often, one that had been up is begun at once")
    func backoff() {
        let consumer = consumer(.classic)
        for _ in 0..<12 {
            consumer.confirmed(at: time(1))
            _ = consumer.pauseSeconds(at: time(2))
        }
        #expect(consumer.pauseSeconds(at: time(2)) >= 15)
        consumer.confirmed(at: time(3))
        #expect(consumer.pauseSeconds(at: time(60)) <= 0.2)
    }
}

extension RabbitMQServerTests {
    @Test("when the broker is back after an outage, consuming and publishing go on soon")
    func recovery() throws {
        let rig = try Rig()
        let queue = QueueDeclaration(name: Lab.queue("outage"))
        rig.acksAtOnce = true
        rig.broker.consume([queue])
        try rig.publish(["before"], to: queue)
        try rig.wait("before") { rig.seen.contains("before") }
        let pid = try String(contentsOfFile: Variables.value("TASKHOST_TEST_RABBITMQ_PIDFILE"), encoding: .utf8)
        kill(try #require(pid_t(pid.filter(\.isNumber))), SIGKILL)
        try rig.wait("the loss") { rig.told.contains { $0.hasPrefix("down") } }
        var isConfirmed = false
        rig.broker.publish(
            Publication(destination: .queue(queue), message: WireMessage(body: Array("during".utf8)))
        ) { failure in
            #expect(failure == nil)
            isConfirmed = true
        }
        // Long enough for a pause that doubles to become long.
        var hasPassed = false
        _ = rig.loop.schedule(afterSeconds: 10) { hasPassed = true }
        try rig.wait("the outage") { hasPassed }
        try rig.end(rig.start("TASKHOST_TEST_RABBITMQ_RESTART"))
        let back = ContinuousClock.now
        try rig.wait("the link") { rig.ups >= 2 }
        try rig.wait("what was published during the outage") { isConfirmed && rig.seen.contains("during") }
        // A second is what a host may take; what is beyond is a machine's whose other work is in the way.
        let passed = ContinuousClock.now - back
        #expect(passed < .seconds(5), "it took \(passed)")
        try rig.close()
    }
}
