// Chords of clients whose result backend cannot count parts: `celery.chord_unlock` looks until all is there.
import Canvas
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import Engine

@Suite("celery.chord_unlock")
struct ChordUnlockTests {
    private func world(
        _ members: String = #"[[["h0",null],null],[["h1",null],null]]"#, more: String = #","interval":0.2"#,
        bodyOptions: String = "", faults: SimulatedWorld.Faults = .init(), seed: UInt64 = 1, keepsResults: Bool = true
    ) -> SimulatedWorld {
        let world = SimulatedWorld(seed: seed, faults: faults, keepsResults: keepsResults)
        let body = #"{"task":"t","args":[],"kwargs":{},"options":{"task_id":"body"\#(bodyOptions)}}"#
        world.send(
            "unlock", headers: ["task": .string("celery.chord_unlock")],
            body: #"[["g",\#(body)],{"result":\#(members)\#(more),"_chord_unlock_exchange_type":"direct"},{}]"#)
        return world
    }

    private func sendHeader(_ world: SimulatedWorld, count: Int = 2) {
        for index in 0..<count {
            world.send("h\(index)", headers: ["group": .string("g"), "group_index": .int(Int64(index))])
        }
    }

    private func meta(_ world: SimulatedWorld, _ id: String) throws -> JSON {
        try JSON(parsing: #require(world.metas[id]), limits: .trusted)
    }

    /// A task gives its id; the body what it was called with.
    private func echo(_ request: StartRequest) -> Outcome {
        let argument = JSON(trusting: request.body).elements?.first?.elements?.first
        return .success((argument ?? .string(request.id)).bytes)
    }

    @Test("the body is called once with all results in order, however late they come")
    func joins() throws {
        let world = world()
        world.returns = echo
        world.connect()
        world.run(steps: 8)
        #expect(world.results["body"] == nil && world.observedBeforePublishing.count > 0, "it looks again")
        sendHeader(world)
        world.run()
        #expect(try meta(world, "body")["result"] == ["h0", "h1"])
        #expect(world.starts["body"] == 1)
        #expect(world.metas["unlock"] == nil, "it has no result of its own")
        #expect(world.unsettled.isEmpty && world.waiting.isEmpty && world.core.inFlight.isEmpty)
    }

    @Test("a chord that follows a task is joined by looking where the store counts no parts", arguments: [1, 2])
    func sent(seed: UInt64) throws {
        let world = SimulatedWorld(seed: seed, joinsChords: false)
        let task = #"{"task":"t","args":[],"kwargs":{},"options":{"queue":"q"}}"#
        let chord =
            #"{"task":"celery.chord","args":[],"options":{},"subtask_type":"chord","immutable":false,"kwargs":"#
            + #"{"header":[\#(task),\#(task)],"kwargs":{},"#
            + #""body":{"task":"t","args":[],"kwargs":{},"options":{"task_id":"body","queue":"q"}}}}"#
        world.send("first", headers: [:], body: #"[["one"],{},{"callbacks":[\#(chord)]}]"#)
        world.returns = echo
        world.connect()
        world.run()
        #expect(try meta(world, "body")["result"] == ["one", "one"])
        #expect(world.starts["body"] == 1)
        #expect(world.unsettled.isEmpty && world.waiting.isEmpty && world.core.inFlight.isEmpty)
    }

    @Test("an interval of 0 looks once a second, and less often the longer it takes")
    func noInterval() {
        let world = world(more: #","interval":0"#)
        world.connect()
        world.run(steps: 400)
        let seconds = Double(world.now - 1_000_000_000) / 1e9
        let looks = world.observedBeforePublishing.count
        #expect(looks > 10 && Double(looks) < seconds / 1.5, "\(looks) looks in \(seconds) s")
    }

    @Test("groups within the header come as lists")
    func nested() throws {
        let world = world(#"[[["h0",null],null],[["inner",null],[[["h1",null],null],[["h2",null],null]]]]"#)
        world.returns = echo
        sendHeader(world, count: 3)
        world.connect()
        world.run()
        #expect(try meta(world, "body")["result"] == ["h0", ["h1", "h2"]])
    }

    @Test("an empty header calls the body with an empty list")
    func empty() throws {
        let world = world("[]")
        world.returns = echo
        world.connect()
        world.run()
        #expect(try meta(world, "body")["result"] == [])
    }

    @Test("a failed member fails the body and its chain, and calls the errbacks, which are among the body's children")
    func memberFails() throws {
        let errback = #"{"task":"t","args":[],"kwargs":{},"options":{"task_id":"errback"}}"#
        let next = #"{"task":"t","args":[],"kwargs":{},"options":{"task_id":"next"}}"#
        let world = world(bodyOptions: #","link_error":[\#(errback)],"chain":[\#(next)]"#)
        world.returns = { request in
            guard request.id == "h1" else { return .success(Array("1".utf8)) }
            return .failure(TaskFailure(type: "ValueError", module: "builtins", arguments: Array(#"["bad",7]"#.utf8)))
        }
        sendHeader(world)
        world.connect()
        world.run()
        let failed = try meta(world, "body")
        #expect(failed["status"] == "FAILURE" && failed["result"]?["exc_type"] == "ChordError")
        #expect(failed["result"]?["exc_message"] == ["Dependency h1 raised ValueError('bad', 7)"])
        #expect(world.starts["body"] == nil && world.results["errback"] == .success)
        #expect(world.results["next"] == .failure)
        // A group of one: `[["<group>", …], [[["errback", …], null]]]`.
        let called = failed["children"]?.elements?.first?.elements?.last?.elements?.first
        #expect(called?.elements?.first?.elements?.first == "errback")
    }

    @Test("the body of a failed member fails once all members are there, and not before")
    func memberFailsFirst() throws {
        let world = world()
        world.returns = { request in
            guard request.id == "h0" else { return .success(Array("1".utf8)) }
            return .failure(TaskFailure(type: "ValueError", module: "builtins", arguments: Array(#"["bad"]"#.utf8)))
        }
        sendHeader(world, count: 1)
        world.connect()
        for _ in 0..<100 where world.names("unlock").filter({ $0 == "retried" }).count < 3 { world.run(steps: 1) }
        #expect(world.results["h0"] == .failure && world.results["body"] == nil)
        world.send("h1", headers: ["group": .string("g"), "group_index": .int(1)])
        world.run(steps: 100)
        #expect(try meta(world, "body")["result"]?["exc_message"] == ["Dependency h0 raised ValueError('bad')"])
    }

    @Test("a revoked member fails the body, too")
    func memberIsRevoked() throws {
        let world = world()
        sendHeader(world)
        world.post(.revoke(["h1"], terminate: nil))
        world.connect()
        world.run(steps: 100)
        let failed = try meta(world, "body")
        #expect(failed["status"] == "FAILURE" && failed["result"]?["exc_type"] == "ChordError")
        #expect(failed["result"]?["exc_message"] == ["Dependency h1 raised TaskRevokedError('revoked')"])
        #expect(world.starts["body"] == nil)
    }

    @Test("max_retries bounds the looking; then the body fails")
    func bounded() throws {
        let world = world(more: #","interval":0.2,"max_retries":2"#)
        world.connect()
        world.run(steps: 100)
        let message = try meta(world, "body")["result"]?["exc_message"]?.elements?.first?.text ?? ""
        #expect(message.hasPrefix("chord_unlock could not be retried: MaxRetriesExceededError("))
        #expect(world.names("unlock").filter { $0 == "retried" }.count == 2)
    }

    @Test("it looks once a second if the message names no interval")
    func interval() {
        let world = world(more: "")
        world.connect()
        let began = world.now
        while world.names("unlock").filter({ $0 == "retried" }).count < 4 { world.run(steps: 1) }
        #expect(world.now - began >= 3_000_000_000)
    }

    @Test("a store that keeps nothing cannot be looked at: the body fails with the reason")
    func rpc() throws {
        let world = world(keepsResults: false)
        world.connect()
        world.run(steps: 100)
        let message = try meta(world, "body")["result"]?["exc_message"]?.elements?.first?.text ?? ""
        #expect(message.contains("keeps no results"))
    }

    @Test("one that says too little is a failure", arguments: ["[[],{},{}]", #"[["g",{"task":"t"}],{},{}]"#])
    func malformed(body: String) {
        let world = SimulatedWorld(seed: 1)
        world.send("unlock", headers: ["task": .string("celery.chord_unlock")], body: body)
        world.connect()
        world.run()
        #expect(world.names("unlock").last == "failed")
        #expect(world.unsettled.isEmpty && world.waiting.isEmpty)
    }

    @Test("whatever crashes on the way, the body ends", arguments: 1...100)
    func crashes(seed: UInt64) {
        let faults = SimulatedWorld.Faults(
            linkLoss: 0.02, hostDeath: 0.02, storeFailure: 0.1, publishFailure: 0.1, confirmLost: 0.05, crash: 0.05,
            taskFailure: 0.05, retry: 0.05)
        let world = world(faults: faults, seed: seed)
        sendHeader(world)
        world.connect()
        world.run(steps: 300)
        world.calm()
        world.run()
        #expect(world.violations == [])
        #expect(world.results["body"]?.isFinal == true, "seed \(seed)")
        #expect(world.unsettled.isEmpty && world.waiting.isEmpty && world.core.inFlight.isEmpty)
    }
}
