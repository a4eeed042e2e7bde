// The switches named after Celery's: what becomes of a message whose task failed, timed out, or is done already.
import Canvas
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import Engine

@Suite("Switches of acknowledgement")
struct AckSwitchTests {
    private func options(_ task: (inout TaskOptions) -> Void) -> TaskOptions {
        var options = TaskOptions()
        task(&options)
        return options
    }

    private func verdicts(_ world: SimulatedWorld) -> [String] {
        world.dead.compactMap { message in
            guard case .table(let note)? = message.headers["taskhost-dead"] else { return nil }
            return note["verdict"]?.text
        }
    }

    @Test("without acks_on_failure a failure is recorded and its message goes to the dead letters")
    func failureIsDeadLettered() {
        let world = SimulatedWorld(seed: 1, task: options { $0.acksOnFailure = false }, faults: .init(taskFailure: 1))
        world.send("fails")
        world.connect()
        world.run()
        #expect(world.results["fails"] == .failure)
        #expect(verdicts(world) == ["failed"])
        #expect(world.names("fails").suffix(2) == ["failed", "deadLettered"])
        #expect(world.unsettled.isEmpty && world.waiting.isEmpty)
    }

    @Test("by default, and acknowledged early, a failure leaves no dead letter", arguments: [true, false])
    func failureIsAcknowledged(late: Bool) {
        let task = options {
            $0.acksLate = late
            $0.acksOnFailure = late ? nil : false
            $0.acksOnTimeout = late ? nil : false
        }
        let world = SimulatedWorld(seed: 1, task: task, faults: .init(taskFailure: 0.5))
        world.returns = { _ in .hardLimit(1) }
        for number in 0..<20 { world.send("fails-\(number)") }
        world.connect()
        world.run()
        #expect(world.starts.count == 20 && world.starts.values.allSatisfy { $0 == 1 })
        #expect(world.dead.isEmpty && world.unsettled.isEmpty && world.waiting.isEmpty)
    }

    @Test("a retry that is used up is a failure like any other")
    func lastRetryIsDeadLettered() {
        let task = options {
            $0.acksOnFailure = false
            $0.maxRetries = .atMost(1)
        }
        let world = SimulatedWorld(seed: 1, task: task, faults: .init(retry: 1))
        world.send("again")
        world.connect()
        world.run()
        #expect(world.starts["again"] == 2)
        #expect(verdicts(world) == ["failed"])
    }

    @Test("without acks_on_timeout a task killed at its limit is started again, and may succeed")
    func timeoutIsStartedAgain() {
        let world = SimulatedWorld(seed: 1, task: options { $0.acksOnTimeout = false })
        world.returns = { request in request.starts == 1 ? .hardLimit(1) : .success(Array("1".utf8)) }
        world.send("slow")
        world.connect()
        world.run()
        #expect(world.finalStates["slow"] == [.failure, .success])
        #expect(world.names("slow").filter { $0 == "rejected" }.count == 1)
        #expect(world.dead.isEmpty && world.unsettled.isEmpty && world.waiting.isEmpty)
    }

    @Test("such a task is not started more often than max_starts says")
    func timeoutsAreBounded() {
        let task = options {
            $0.acksOnTimeout = false
            $0.maxStarts = 2
        }
        let world = SimulatedWorld(seed: 1, task: task)
        world.returns = { _ in .hardLimit(1) }
        world.send("slow")
        world.connect()
        world.run()
        #expect(world.starts["slow"] == 2)
        #expect(verdicts(world) == ["timed-out"])
    }

    @Test("reject_on_worker_lost and max_starts say the same thing: whoever comes first decides")
    func startsAreFolded() {
        func starts(
            _ override: (inout TaskOptions) -> Void = { _ in }, bundle: (inout TaskOptions) -> Void = { _ in },
            rejects: Bool = true
        ) -> Int {
            var defaults = TaskOptions()
            defaults.rejectOnWorkerLost = rejects
            return TaskPolicy(manifest: options(bundle), override: options(override), defaults: defaults).maxStarts
        }
        #expect(starts() == 3)
        #expect(starts(rejects: false) == 1)
        #expect(starts(bundle: { $0.rejectOnWorkerLost = false }) == 1)
        #expect(starts(bundle: { $0.rejectOnWorkerLost = true }, rejects: false) == 3)
        #expect(starts(bundle: { $0.maxStarts = 5 }, rejects: false) == 5)
        #expect(starts({ $0.rejectOnWorkerLost = false }, bundle: { $0.maxStarts = 5 }) == 1)
        #expect(starts({ $0.rejectOnWorkerLost = true }, bundle: { $0.maxStarts = 5 }) == 5)
        #expect(starts({ $0.maxStarts = 4 }, bundle: { $0.rejectOnWorkerLost = false }) == 4)
    }

    @Test("without reject_on_worker_lost a child's death is the task's failure")
    func deathIsFinal() {
        let world = SimulatedWorld(seed: 1, task: options { $0.rejectOnWorkerLost = false }, faults: .init(crash: 1))
        world.send("dies")
        world.connect()
        world.run()
        #expect(world.starts["dies"] == 1)
        #expect(world.results["dies"] == .failure)
        #expect(verdicts(world) == ["poison"])
    }

    @Test("whatever fails, a message is acknowledged or dead-lettered, and its outcome recorded", arguments: 1...100)
    func nothingIsLost(seed: UInt64) {
        let task = options {
            $0.acksOnFailure = false
            $0.acksOnTimeout = false
        }
        let faults = SimulatedWorld.Faults(
            linkLoss: 0.03, hostDeath: 0.01, storeFailure: 0.1, publishFailure: 0.1, confirmLost: 0.05, crash: 0.05,
            taskFailure: 0.3)
        let world = SimulatedWorld(seed: seed, task: task, faults: faults)
        world.returns = { $0.id.hasSuffix("7") ? .hardLimit(1) : .success(Array("1".utf8)) }
        for number in 0..<20 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: 400)
        world.calm()
        world.run()
        #expect(world.violations == [])
        #expect(world.unsettled.isEmpty && world.waiting.isEmpty && world.core.inFlight.isEmpty)
        for number in 0..<20 { #expect(world.results["id-\(number)"]?.isFinal == true, "seed \(seed)") }
        let deadLettered = Set(world.dead.compactMap { $0.headers["id"]?.text })
        for number in [7, 17] {
            #expect(deadLettered.contains("id-\(number)"), "it never succeeds; seed \(seed)")
        }
    }
}

@Suite("Messages delivered again")
struct DeduplicationTests {
    /// One that another host has finished, so that only the store knows.
    private func world(
        _ meta: String, body: String = "[[],{},{}]", headers: FieldTable = [:], task: TaskOptions = TaskOptions(),
        options: EngineOptions? = nil
    ) -> SimulatedWorld {
        let world = SimulatedWorld(seed: 1, options: options, task: task)
        world.results["done"] = .success
        world.metas["done"] = Array(meta.utf8)
        world.send("done", headers: headers, body: body)
        world.waiting[0].redelivered = true
        world.connect()
        world.run()
        return world
    }

    private let plain = #"{"status":"SUCCESS","result":7,"children":[],"task_id":"done"}"#

    @Test("a task that has succeeded is acknowledged and not run again")
    func successCounts() {
        let world = world(plain)
        #expect(world.starts["done"] == nil)
        #expect(world.unsettled.isEmpty && world.acknowledged.count == 1)
    }

    @Test("one whose stored state is not SUCCESS runs again")
    func failureDoesNot() {
        #expect(world(#"{"status":"FAILURE","result":null,"task_id":"done"}"#).starts["done"] == 1)
    }

    @Test("without deduplicate_successful_tasks, or acknowledged early, it runs again", arguments: [true, false])
    func switches(early: Bool) {
        var options = EngineOptions.usual(
            slots: 2, queues: [QueuePreference(declaration: QueueDeclaration(name: "q"))], nodeName: "sim@test")
        options.deduplicatesSuccessful = early
        var task = TaskOptions()
        task.acksLate = !early
        #expect(world(plain, task: task, options: options).starts["done"] == 1)
    }

    private var chained: String {
        let next = SignatureTree("t", options: ["task_id": "next"])
        return #"[[],{},{"chain":[\#(String(decoding: next.json.bytes, as: UTF8.self))]}]"#
    }

    @Test("what follows it is sent with the stored result if it names no children")
    func continuationsAreSent() {
        var seen: [UInt8] = []
        let world = SimulatedWorld(seed: 1)
        world.returns = { request in
            seen = request.body
            return .success(Array("1".utf8))
        }
        world.results["done"] = .success
        world.metas["done"] = Array(plain.utf8)
        world.send("done", body: chained)
        world.waiting[0].redelivered = true
        world.connect()
        world.run()
        #expect(world.starts == ["next": 1])
        #expect(String(decoding: seen, as: UTF8.self).hasPrefix("[[7]"))
    }

    @Test("what follows it is not sent twice")
    func continuationsAreNotSentTwice() {
        let meta = #"{"status":"SUCCESS","result":7,"children":[[["next",null],null]],"task_id":"done"}"#
        #expect(world(meta, body: chained).starts == [:])
    }

    @Test("its part of a chord is reported: the host that ran it may have died before")
    func partIsReported() {
        let body = SignatureTree("t", options: ["task_id": "body"])
        let embed = #"[[],{},{"chord":\#(String(decoding: body.json.bytes, as: UTF8.self))}]"#
        let world = SimulatedWorld(seed: 1)
        world.chords["g"] = SimulatedChord(size: 1)
        world.results["done"] = .success
        world.metas["done"] = Array(plain.utf8)
        world.send("done", headers: ["group": .string("g"), "group_index": .int(0)], body: embed)
        world.waiting[0].redelivered = true
        world.connect()
        world.run()
        #expect(world.starts == ["body": 1])
    }
}
