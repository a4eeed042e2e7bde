// Publications and records that can never succeed: what they were for ends visibly, and nothing else waits for them.
import Canvas
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import Engine

@Suite("What can never be published or stored")
struct RefusalTests {
    private static let gone = BrokerFailure(.notFound, "no such exchange")

    private func step(_ id: String, options: JSONMap = [:]) -> SignatureTree {
        var signature = SignatureTree("t", options: ["task_id": .string(id)], isImmutable: true)
        signature.options.merge(options)
        return signature
    }

    private func body(
        chain: [SignatureTree] = [], chord: SignatureTree? = nil, callbacks: [SignatureTree] = [],
        errbacks: [SignatureTree] = []
    ) -> String {
        let embed: JSONMap = [
            "chain": .array(chain.reversed().map(\.json)), "chord": chord?.json ?? nil,
            "callbacks": .array(callbacks.map(\.json)), "errbacks": .array(errbacks.map(\.json)),
        ]
        return String(decoding: JSON.array([[], .object([]), embed.json]).bytes, as: UTF8.self)
    }

    private func world(_ seed: UInt64 = 1, refusing ids: Set<String>) -> SimulatedWorld {
        let world = SimulatedWorld(seed: seed)
        world.refusal = { publication in
            if case .deadLetters = publication.destination { return nil }
            return ids.contains(publication.message.headers["id"]?.text ?? "") ? Self.gone : nil
        }
        return world
    }

    private func settles(_ world: SimulatedWorld) {
        #expect(world.violations == [])
        #expect(
            world.core.inFlight.isEmpty && world.unsettled.isEmpty && world.waiting.isEmpty
                && world.core.backlog.isEmpty)
    }

    private func meta(_ world: SimulatedWorld, _ id: String) throws -> JSON {
        try JSON(parsing: #require(world.metas[id]), limits: .trusted)
    }

    private func verdicts(_ world: SimulatedWorld) -> [String: String] {
        var found: [String: String] = [:]
        for letter in world.dead {
            let report = Republication.deadReport(of: letter)
            found[report?.taskID ?? ""] = report?.verdict
        }
        return found
    }

    @Test("a callback that is refused fails under its own id with the reason, and the task itself has succeeded")
    func callback() throws {
        let world = world(refusing: ["callback"])
        world.send("first", body: body(callbacks: [step("callback")]))
        world.connect()
        world.run()
        settles(world)
        #expect(world.results == ["first": .success, "callback": .failure])
        #expect(world.starts == ["first": 1])
        let failure = try meta(world, "callback")["result"]
        #expect(failure?["exc_type"] == "OperationalError" && failure?["exc_module"] == "kombu.exceptions")
        #expect(failure?["exc_message"]?.elements?.first?.text?.contains("no such exchange") == true)
        #expect(try meta(world, "first")["children"] == [[["callback", nil], nil]])
        #expect(verdicts(world) == ["callback": "unsendable"])
    }

    @Test("the rest of a chain fails with the step that is refused, its errback is called and its chord fails")
    func chain() throws {
        let world = world(refusing: ["second"])
        world.chords["g"] = SimulatedChord(size: 2)
        let chord = step("body")
        let next = step("second", options: ["link_error": [step("told").json]])
        let last = step("third", options: ["group_id": "g", "chord": chord.json])
        world.send("first", body: body(chain: [next, last]))
        world.send("other", headers: ["group": .string("g"), "group_index": .int(1)], body: body(chord: chord))
        world.connect()
        world.run()
        settles(world)
        #expect(world.results["first"] == .success && world.results["other"] == .success)
        for id in ["second", "third", "body"] { #expect(world.results[id] == .failure, "\(id)") }
        #expect(world.results["told"] == .success)
        #expect(world.starts == ["first": 1, "other": 1, "told": 1])
        #expect(verdicts(world) == ["second": "unsendable"])
    }

    @Test("a chord whose header has a member that is refused fails; one whose body is refused fails as that body")
    func chords() throws {
        for refused in ["member", "body"] {
            let world = world(refusing: [refused])
            let chord = SignatureTree.chord(
                [step("member"), step("good")], body: step("body"), options: ["task_id": "chord"])
            world.send("first", body: body(chain: [chord, step("last")]))
            world.connect()
            world.run()
            settles(world)
            #expect(world.results["first"] == .success && world.results["good"] == .success)
            for id in ["body", "last"] { #expect(world.results[id] == .failure, "\(id), \(refused)") }
            #expect(world.starts["last"] == nil && world.starts["body"] == nil)
        }
    }

    @Test("an errback that is refused fails under its own id; the failure it was for stands")
    func errback() {
        let world = world(refusing: ["told"])
        world.faults.taskFailure = 1
        world.send("first", body: body(errbacks: [step("told")]))
        world.connect()
        world.run()
        settles(world)
        #expect(world.results == ["first": .failure, "told": .failure])
        #expect(world.starts == ["first": 1])
    }

    @Test("a retry, or a restart after a crash, that is refused ends as a failure and a dead letter")
    func redispatchLater() {
        for faults in [SimulatedWorld.Faults(retry: 1), .init(crash: 1)] {
            let world = world(refusing: ["first"])
            world.faults = faults
            world.send("first")
            world.connect()
            world.run()
            settles(world)
            #expect(world.results == ["first": .failure])
            #expect(world.starts == ["first": 1])
            #expect(verdicts(world) == ["first": "unsendable"])
            #expect(world.occurrences["first"]?.last.map { "\($0)".hasPrefix("deadLettered") } == true)
        }
    }

    @Test("a far eta that the broker does not delay for us ends as a failure and a dead letter")
    func postponed() {
        let world = world(refusing: ["first"])
        world.send("first", headers: ["eta": .string("2030-01-01T00:00:00Z")])
        world.connect()
        world.run()
        settles(world)
        #expect(world.results == ["first": .failure] && world.starts.isEmpty)
        #expect(verdicts(world) == ["first": "unsendable"])
    }

    @Test("what is known before is refused when the canvas is applied: the task fails, nothing is owed")
    func knownBefore() throws {
        let long = String(repeating: "q", count: 300)
        let options: [JSONMap] = [
            ["queue": .string(long)], ["exchange": .string(long), "routing_key": "k"], ["queue": "amq.mine"],
            ["exchange": "e", "routing_key": .string(long)], ["reply_to": .string(long)],
        ]
        for option in options {
            let world = SimulatedWorld(seed: 1)
            world.send("first", body: body(callbacks: [step("callback", options: option)]))
            world.connect()
            world.run()
            settles(world)
            #expect(world.results == ["first": .failure] && world.published.isEmpty, "\(option)")
            #expect(try meta(world, "first")["result"]?["exc_type"] == "CanvasError")
        }
    }

    @Test("what a task sends and is refused fails under its own id, and the task succeeds")
    func sends() {
        let world = world(refusing: ["sent-1"])
        world.send("first")
        world.sends["first"] = (0..<3).map {
            Submission(kind: .send, taskID: "sent-\($0)", content: Array(#"{"task":"t","args":[]}"#.utf8))
        }
        world.connect()
        world.run()
        settles(world)
        #expect(world.results == ["first": .success, "sent-0": .success, "sent-1": .failure, "sent-2": .success])
        #expect(world.starts == ["first": 1, "sent-0": 1, "sent-2": 1])
    }

    @Test("a success that is never stored becomes a failure that says so; of another task's the log tells")
    func records() throws {
        let world = SimulatedWorld(seed: 1)
        world.recordRefusal = { record in
            record.state == .success || record.taskID == "second" ? StoreFailure("too large", .unfit) : nil
        }
        world.refusal = { _ in nil }
        world.send("first")
        world.connect()
        world.run()
        settles(world)
        #expect(world.results == ["first": .failure] && world.dead.isEmpty)
        #expect(try meta(world, "first")["result"]?["exc_type"] == "BackendStoreError")

        world.faults.taskFailure = 1
        world.send("chained", body: body(chain: [step("second")]))
        world.deliver()
        world.run()
        settles(world)
        #expect(world.results["chained"] == .failure && world.results["second"] == nil)
        // Even its failure is refused: then the message is kept.
        world.recordRefusal = { _ in StoreFailure("too large", .unfit) }
        world.send("lost")
        world.deliver()
        world.run()
        #expect(world.core.inFlight.isEmpty && world.unsettled.isEmpty)
        #expect(verdicts(world) == ["lost": "unrecorded"])
    }

    // ---- what waits does not keep the others ----

    /// 400 tasks whose callback's queue is full, then a good one.
    @Test("hundreds of settlements that wait keep no good task from being run, and end when they can")
    func full() {
        let world = SimulatedWorld(seed: 1)
        var isFull = true
        world.refusal = { publication in
            let id = publication.message.headers["id"]?.text ?? ""
            return isFull && id.hasPrefix("callback") ? BrokerFailure(.nacked, "the queue is full") : nil
        }
        for number in 0..<400 { world.send("id-\(number)", body: body(callbacks: [step("callback-\(number)")])) }
        world.send("good")
        world.connect()
        for _ in 0..<50_000 where world.results["good"] == nil { world.run(steps: 1) }
        #expect(world.results["good"] == .success)
        #expect(world.core.backlog.waiting == 400 && !world.core.backlog.isFull)
        // Two at a time and 27 ms each; without credit of its own the fifth would wait for ever.
        #expect(Double(world.now) / 1e9 < 1 + 400 * 0.06)
        isFull = false
        world.run()
        settles(world)
        #expect(world.starts["id-7"] == 1 && world.results["callback-399"] == .success)
    }

    @Test("what waits has a bound: then nothing more is taken, and it says so once")
    func bound() {
        let world = SimulatedWorld(seed: 1)
        var isFull = true
        world.duration = 1...2
        world.refusal = { _ in isFull ? BrokerFailure(.nacked, "the queue is full") : nil }
        for number in 0..<1_300 { world.send("id-\(number)", body: body(callbacks: [step("callback-\(number)")])) }
        world.connect()
        world.run(steps: 30_000)
        #expect(world.core.backlog.isFull)
        // What the usual credit had brought by then comes on top of it.
        #expect((Backlog.maxMessages..<Backlog.maxMessages + 270).contains(world.core.inFlight.count))
        #expect(world.waiting.count > 30)
        let logged = world.notes.filter { if case .backlogFull = $0 { true } else { false } }
        #expect(logged.count == 1)
        isFull = false
        world.run()
        settles(world)
        #expect(world.notes.contains { if case .backlogDrained = $0 { true } else { false } })
        #expect(world.starts.count == 2_600 && world.starts.values.allSatisfy { $0 == 1 })
    }

    @Test("a store that takes long to confirm keeps no slot from working", arguments: [60, 150, 240])
    func slowStore(milliseconds: UInt64) {
        // Simulated seconds until the last result is stored.
        func seconds(_ storing: UInt64) -> Double {
            let world = SimulatedWorld(seed: 1)
            world.duration = 1...2
            world.storing = storing...storing
            for number in 0..<1_000 { world.send("id-\(number)") }
            world.connect()
            world.run()
            settles(world)
            #expect(world.storedAt.count == 1_000)
            return Double(world.storedAt.values.max() ?? 0) / 1e9
        }
        // A moment to find the pace. (With its usual credit alone, four in 150 ms, it would take 37 s.)
        #expect(seconds(milliseconds) < seconds(1) * 1.2 + 3)
    }

    @Test("dead letters that nobody may keep wait, and keep no good task from being run")
    func unburied() {
        let world = SimulatedWorld(seed: 1)
        var mayNot = true
        world.refusal = { publication in
            guard mayNot, case .deadLetters = publication.destination else { return nil }
            return BrokerFailure(.accessRefused, "no rights")
        }
        for number in 0..<100 { world.send("id-\(number)", headers: ["task": .string("nobody has it")]) }
        world.send("good")
        world.connect()
        for _ in 0..<50_000 where world.results["good"] == nil { world.run(steps: 1) }
        #expect(world.results["good"] == .success && world.core.backlog.waiting == 100)
        mayNot = false
        world.run()
        settles(world)
        #expect(world.dead.count == 100)
    }

    @Test("a store that refuses our password for a while loses nothing, and nothing is run again")
    func password() {
        let world = SimulatedWorld(seed: 1)
        world.recordRefusal = { _ in StoreFailure("WRONGPASS", .refused) }
        for number in 0..<50 { world.send("id-\(number)") }
        world.connect()
        world.run(steps: 2_000)
        #expect(world.results.isEmpty && world.dead.isEmpty && world.starts.count == 50)
        world.recordRefusal = { _ in nil }
        world.post(.storeUp)
        let then = world.now
        for _ in 0..<50_000 where world.results.count < 50 { world.run(steps: 1) }
        #expect(Double(world.now - then) / 1e9 < 1, "without waiting for each one's pause")
        world.run()
        settles(world)
        #expect(world.starts.values.allSatisfy { $0 == 1 } && world.results.values.allSatisfy { $0 == .success })
    }

    @Test(
        "a stop ends within its grace period and a second, whatever waits to be recorded", arguments: [2.0, 7.0, 30.0])
    func stops(grace: Double) {
        var options = EngineOptions.usual(
            slots: 2, queues: [QueuePreference(declaration: QueueDeclaration(name: "q"))], nodeName: "sim@test")
        options.graceSeconds = grace
        let world = SimulatedWorld(seed: 1, options: options)
        world.refusal = { _ in BrokerFailure(.nacked, "the queue is full") }
        for number in 0..<20 { world.send("id-\(number)", body: body(callbacks: [step("callback-\(number)")])) }
        world.connect()
        world.run(steps: 300)
        let began = world.now
        world.post(.stop(.warm))
        for _ in 0..<20_000 where !world.stopped { world.run(steps: 1) }
        let lasted = Double(world.now - began) / 1e9
        #expect(world.stopped && lasted >= grace && lasted < grace + 0.5)
        #expect(world.core.closeWithin <= 0.5, "what is left for the links")
    }

    // ---- what a task sends ----

    @Test("what a task sends is confirmed many at a time; a task that sends faster is not read from")
    func window() {
        let world = SimulatedWorld(seed: 1)
        world.duration = 5_000...5_000
        var isStill = true
        world.refusal = { _ in isStill ? BrokerFailure(.unreachable, "still") : nil }
        world.send("first")
        world.sends["first"] = (0..<3_000).map {
            Submission(kind: .send, taskID: "sent-\($0)", content: Array(#"{"task":"t","args":[]}"#.utf8))
        }
        world.connect()
        while world.running.isEmpty { world.run(steps: 1) }
        world.run(steps: 5)
        #expect(world.heldBack.count == 1)
        #expect(world.published.isEmpty)
        isStill = false
        world.run()
        settles(world)
        #expect(world.heldBack.isEmpty && world.published.count == 3_000)
        #expect(world.starts.count == 3_001 && world.starts.values.allSatisfy { $0 == 1 })
        // One by one they would take 10 ms each.
        #expect(world.results["first"] == .success)
    }

    // ---- all of it at once ----

    @Test(
        "nothing is owed for ever: whatever is refused for good, every task sent comes to its end", arguments: 1...100)
    func nothingOwed(seed: UInt64) {
        let lasting = SimulatedWorld.Faults(refusedMessages: 0.15, refusedRecords: 0.1)
        var faults = lasting
        (faults.linkLoss, faults.storeFailure, faults.publishFailure, faults.confirmLost) = (0.01, 0.05, 0.1, 0.05)
        (faults.crash, faults.taskFailure, faults.retry) = (0.05, 0.05, 0.05)
        let world = SimulatedWorld(seed: seed, faults: faults)
        var ids: [String] = []
        for number in 0..<6 {
            let name = "chain\(number)"
            world.send("\(name)-1", body: body(chain: [step("\(name)-2"), step("\(name)-3")]))
            ids += (1...3).map { "\(name)-\($0)" }
            let mixed = "mixed\(number)"
            let chord = SignatureTree.chord(
                [step("\(mixed)-a"), step("\(mixed)-b")], body: step("\(mixed)-body"),
                options: ["task_id": .string(mixed)])
            world.send("\(mixed)-1", body: body(chain: [chord, step("\(mixed)-last")]))
            ids += ["\(mixed)-1", "\(mixed)-body", "\(mixed)-last"]
        }
        world.connect()
        world.run(steps: 500)
        world.faults = lasting
        world.run()
        settles(world)
        for id in ids { #expect(world.results[id]?.isFinal == true, "\(id), seed \(seed)") }
    }
}
