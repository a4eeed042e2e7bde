// What the embedded broker does when a process that holds messages dies, or stops for too long.
import Foundation
import Loop
import Ports
import TaskModel
import TestKit
import Testing

@testable import SQLite

@Suite("The embedded broker, when hosts die", .serialized)
struct SQLiteLeaseTests {
    private let folder: TemporaryFolder
    private let loop: EpollLoop
    private let queue = QueueDeclaration(name: "work")
    /// So short that a test can wait for it; nothing is held longer than a test that is fast takes.
    private let brief = LeaseTimes(lease: 2, renewal: 0.25, allowance: 0.5)

    init() throws {
        folder = try TemporaryFolder()
        loop = try EpollLoop()
    }

    @Test("what a killed process held is taken over at once, marked")
    func killedProcess() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sleep")
        process.arguments = ["1000"]
        try process.run()
        // Its messages are leased for an hour: only its death can free them.
        let long = LeaseTimes(lease: 3600, renewal: 1200, allowance: 5)
        let victim = try client(long, HostIdentity(pid: process.processIdentifier))
        try victim.publish(["a", "b"], to: queue)
        victim.consume(queue, credit: 2)
        try victim.receive(2)

        let heir = try client(long)
        heir.consume(queue, credit: 2)
        try heir.settle()
        #expect(heir.deliveries.isEmpty)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try heir.receive(2, seconds: 5)
        #expect(heir.deliveries.map(\.text) == ["a", "b"])
        #expect(heir.deliveries.map(\.redelivered) == [true, true])
        try heir.close()
    }

    @Test("a process that stalls loses its lease, and its acknowledgement comes too late")
    func stalledProcess() throws {
        // On a loop that is not turned it cannot renew: as if it were stopped.
        let stalledLoop = try EpollLoop()
        let stalled = try client(brief, .current, on: stalledLoop)
        try stalled.publish(["held"], to: queue)
        stalled.consume(queue, credit: 1)
        let late = try stalled.receive(1)[0]

        let heir = try client(brief)
        heir.consume(queue, credit: 1)
        let taken = try heir.receive(1, seconds: 10)[0]
        #expect(taken.text == "held")
        #expect(taken.redelivered)

        stalled.broker.acknowledge(late.tag)
        try stalled.wait("the loss to be noticed") { stalled.losses > 0 }
        #expect(stalled.deliveries.count == 1)
        heir.broker.reject(taken.tag, requeue: true)
        try heir.receive(2)
        // The late acknowledgement removed nothing, and the stalled one serves again.
        heir.broker.reject(heir.deliveries[1].tag, requeue: true)
        try heir.close()
        #expect(try stalled.receive(2)[1].text == "held")
        try stalled.close()
    }

    @Test("what is held stays held far beyond the lease, as long as the host lives")
    func renews() throws {
        let holder = try client(brief)
        try holder.publish(["long"], to: queue)
        holder.consume(queue, credit: 1)
        try holder.receive(1)
        let other = try client(brief)
        other.consume(queue, credit: 1)
        let end = ContinuousClock.now + .seconds(4)
        while ContinuousClock.now < end { loop.runOnce(timeoutSeconds: 0.05) }
        #expect(other.deliveries.isEmpty)
        #expect(holder.losses == 0)
        holder.broker.acknowledge(holder.deliveries[0].tag)
        try holder.close()
        try other.close()
    }

    @Test("a host that holds nothing is not taken for lost")
    func idle() throws {
        let (first, second) = (try client(brief), try client(brief))
        try first.publish(["x"], to: queue)
        first.consume(queue, credit: 1)
        first.broker.acknowledge(try first.receive(1)[0].tag)
        second.consume(queue, credit: 0)
        let end = ContinuousClock.now + .seconds(4)
        while ContinuousClock.now < end { loop.runOnce(timeoutSeconds: 0.05) }
        #expect(first.losses == 0)
        try first.publish(["y"], to: queue)
        #expect(try first.receive(2)[1].text == "y")
        try first.close()
        try second.close()
    }

    @Test("of a reused pid, a process from before a reboot and one we cannot see, only the right ones are dead")
    func fates() {
        let here = HostIdentity.current
        #expect(here.fate(seenBy: here) == .alive)
        var other = here
        other.started += 1
        #expect(other.fate(seenBy: here) == .dead)
        other = here
        other.boot = "another"
        #expect(other.fate(seenBy: here) == .dead)
        other = here
        other.namespace = "pid:[1]"
        #expect(other.fate(seenBy: here) == .unknown)
    }

    private func client(
        _ times: LeaseTimes, _ identity: HostIdentity = .current, on otherLoop: EpollLoop? = nil
    ) throws -> BrokerClient {
        let loop = otherLoop ?? loop
        let file = SQLiteFile(address: SQLiteAddress(path: folder.path + "/broker.db"), loop: loop)
        let client = BrokerClient(SQLiteBroker(file: file, times: times, identity: identity), loop)
        client.broker.connect(events: client)
        try client.wait("the link") { client.isUp }
        return client
    }
}
