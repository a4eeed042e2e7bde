// What observers get: in order, once, and not before it is true.
import Ports
import TaskModel
import Testing

@testable import Engine

extension SimulatedWorld {
    /// An observer of an outcome finds it stored.
    func observed(_ event: TaskEvent, of task: ObservedTask) {
        occurrences[task.id, default: []].append(event)
        let isTrue =
            switch event {
            // It has no result of its own.
            case .succeeded where task.name == "celery.chord_unlock": true
            case .succeeded: results[task.id] == .success
            // Another attempt may have succeeded already: a SUCCESS stays.
            case .failed: [.failure, .success].contains(results[task.id])
            case .revoked: [.revoked, .success].contains(results[task.id])
            default: true
            }
        if !isTrue { violations.append("observed \(event) of \(task.id) before it was stored") }
    }

    func names(_ id: String) -> [String] {
        (occurrences[id] ?? []).map { String("\($0)".prefix { $0 != "(" }) }
    }
}

@Suite("Watching")
struct WatchTests {
    @Test("a task that succeeds is received, started and succeeded, in this order")
    func success() {
        let world = SimulatedWorld(seed: 1)
        world.send("a")
        world.connect()
        world.run()
        #expect(world.names("a") == ["received", "started", "succeeded"])
    }

    @Test("a revoked message is never observed as received")
    func revoked() {
        let world = SimulatedWorld(seed: 1)
        world.connect()
        world.post(.revoke(["a"], terminate: nil))
        world.send("a")
        world.run(steps: 5)
        world.run()
        #expect(world.names("a") == ["revoked"])
    }

    @Test("a task that crashes on every start is observed with each crash, its failure and its dead letter")
    func crashes() {
        let world = SimulatedWorld(seed: 1, faults: .init(crash: 1))
        world.send("a")
        world.connect()
        world.run()
        #expect(world.names("a").filter { $0 == "crashed" }.count == 3)
        #expect(world.names("a").suffix(2) == ["failed", "deadLettered"])
    }

    @Test("a retry is observed before its message is sent: the next attempt may be quick", arguments: 0..<20)
    func retries(seed: UInt64) {
        var task = TaskOptions()
        task.maxRetries = .atMost(2)
        let world = SimulatedWorld(seed: seed, task: task, faults: .init(publishFailure: 0.2, retry: 1))
        world.send("a")
        world.connect()
        world.run()
        let attempt = ["received", "started"]
        #expect(world.names("a") == attempt + ["retried"] + attempt + ["retried"] + attempt + ["failed"])
        #expect(world.observedBeforePublishing.count >= 2)
        #expect(world.observedBeforePublishing.allSatisfy { $0 == "retried" })
    }

    @Test(
        "an outcome is observed after it is stored, and once per start, whatever fails on the way", arguments: 0..<200)
    func truth(seed: UInt64) {
        let world = SimulatedWorld(
            seed: seed,
            faults: .init(
                linkLoss: 0.02, storeFailure: 0.2, publishFailure: 0.2, crash: 0.1, taskFailure: 0.2, retry: 0.1))
        for number in 0..<20 { world.send("t\(number)") }
        world.connect()
        world.run(steps: 500)
        world.calm()
        world.run()
        #expect(world.violations.isEmpty)
        for (id, starts) in world.starts {
            let ends = world.names(id).filter { ["succeeded", "failed", "retried", "crashed"].contains($0) }
            // A poisonous message's last crash is its failure, too.
            let failedByCrash = world.names(id).contains("deadLettered") ? 1 : 0
            #expect(ends.count - failedByCrash <= starts, "\(id): \(world.names(id))")
        }
    }
}
