// Revocations of tasks that are due later than revocations are remembered, and of whole workflows.
import CeleryWire
import Ports
import TaskModel
import Testing

@testable import Engine

@Suite("Revocation of what is due later")
struct RevokedLaterTests {
    private func eta(_ world: SimulatedWorld, in seconds: Double) -> FieldTable {
        ["eta": .string(ISO8601.format(world.clocks.wall.advanced(bySeconds: seconds)))]
    }

    @Test("what comes back from its delay does not run when its stored state is REVOKED, however long ago that was")
    func storedState() {
        let world = SimulatedWorld(seed: 1)
        world.send("gone", headers: eta(world, in: 18_000))
        world.send("keep", headers: eta(world, in: 18_000))
        world.connect()
        // Both are back with the broker, to wait there.
        while world.acknowledged.count < 2 { world.run(steps: 1) }
        world.results["gone"] = .revoked
        world.metas["gone"] = Array(#"{"status":"REVOKED","result":null,"task_id":"gone"}"#.utf8)
        // The host that was told has gone; the next one knows nothing of it.
        world.killHost()
        world.run()
        #expect(world.starts["gone"] == nil && world.results["gone"] == .revoked)
        #expect(world.starts["keep"] == 1 && world.results["keep"] == .success)
        #expect(world.unsettled.isEmpty && world.waiting.isEmpty)
    }

    @Test("a message that was never kept back runs, whatever an earlier task of its id came to")
    func usedAgain() {
        let world = SimulatedWorld(seed: 1)
        world.results["a"] = .revoked
        world.metas["a"] = Array(#"{"status":"REVOKED","result":null,"task_id":"a"}"#.utf8)
        world.send("a")
        world.connect()
        world.run()
        #expect(world.starts["a"] == 1)
    }

    @Test("a message is told as received once, however often it is postponed; each retry once more")
    func receivedOnce() {
        let world = SimulatedWorld(seed: 1)
        world.send("a", headers: eta(world, in: 200))
        world.connect()
        world.run()
        #expect(world.names("a") == ["received", "started", "succeeded"])

        var policy = TaskOptions()
        policy.maxRetries = .atMost(1)
        policy.retryDelay = 200
        policy.autoretry = true
        let retrying = SimulatedWorld(seed: 1, task: policy, faults: .init(taskFailure: 1))
        retrying.send("b")
        retrying.connect()
        retrying.run()
        #expect(retrying.names("b").filter { $0 == "received" }.count == 2)
    }

    @Test("a revoked workflow ends what waits, what comes and what follows, and nothing else")
    func workflow() {
        let world = SimulatedWorld(seed: 1)
        world.duration = 1_000...1_000
        world.send("root", headers: ["root_id": .string("root")])
        world.send("waits", headers: ["root_id": .string("root")])
        world.send("third", headers: ["root_id": .string("root")])
        world.send("other", headers: ["root_id": .string("other")])
        world.connect()
        world.run(steps: 6)
        let active = Set(world.running.values.map(\.id))
        world.post(.revoke([RevokedWorkflow.id(root: "root")], terminate: nil))
        world.send("follows", headers: ["root_id": .string("root")])
        world.run()
        for id in ["root", "waits", "third", "follows"] {
            #expect(world.results[id] == (active.contains(id) ? .success : .revoked), "\(id)")
        }
        #expect(world.results["other"] == .success)
    }

    @Test("with a signal the running tasks of the workflow end as well")
    func workflowEnded() {
        let world = SimulatedWorld(seed: 1)
        world.duration = 1_000...1_000
        world.send("root", headers: ["root_id": .string("root")])
        world.send("other")
        world.connect()
        world.run(steps: 6)
        world.post(.revoke([RevokedWorkflow.id(root: "root")], terminate: 15))
        world.run()
        #expect(world.results["root"] == .revoked && world.results["other"] == .success)
    }

    @Test("a revocation that is kept until its task is due outlives its age, the number of others, and a restart")
    func kept() {
        var revocations = Revocations()
        let start = Instant(nanoseconds: 0)
        revocations.add("far", at: start)
        revocations.add(RevokedWorkflow.id(root: "r"), at: start)
        revocations.keep("far", forSeconds: 18_000, at: start)
        revocations.keep(RevokedWorkflow.id(root: "r"), forSeconds: 18_000, at: start)
        for number in 0..<50_010 { revocations.add("id-\(number)", at: start) }
        let later = start.advanced(bySeconds: 17_000)
        var member = TaskMessage(id: "m", name: "t")
        member.rootID = "r"
        #expect(revocations.contains("far", at: later) && revocations.contains(member, at: later))
        #expect(revocations.ids(at: later).contains("far") && !revocations.ids(at: later).contains("id-9000"))
        var next = Revocations()
        for (id, age) in revocations.aged(at: later) { next.add(id, at: start, age: age) }
        let due = start.advanced(bySeconds: 900)
        #expect(next.contains("far", at: due) && next.contains(member, at: due))
        let over = start.advanced(bySeconds: 1_100)
        #expect(!next.contains("far", at: over) && !next.contains(member, at: over))
        #expect(!revocations.contains("far", at: start.advanced(bySeconds: 18_000)))
    }
}
