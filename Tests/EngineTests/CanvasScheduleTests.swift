// Chains and chords under seeded schedules of crashes: what was sent always comes to its end.
import Canvas
import TaskModel
import TaskhostJSON
import Testing

@testable import Engine

@Suite("Canvas under crash schedules")
struct CanvasScheduleTests {
    static let seeds: [UInt64] = Array(1...200)
    static let rough = SimulatedWorld.Faults(
        linkLoss: 0.02, storeFailure: 0.1, publishFailure: 0.1, confirmLost: 0.05, crash: 0.05, notStarted: 0.05,
        returned: 0.1,
        runnerFault: 0.05, taskFailure: 0.05, retry: 0.05)

    private func step(_ id: String, immutable: Bool = true, chord: JSON? = nil) -> SignatureTree {
        var step = SignatureTree("t", options: ["task_id": .string(id)], isImmutable: immutable)
        if let chord { step.options["chord"] = chord }
        return step
    }

    private func body(chain: [SignatureTree] = [], chord: SignatureTree? = nil, callbacks: [SignatureTree] = [])
        -> String
    {
        let embed: JSONMap = [
            "chain": .array(chain.reversed().map(\.json)), "chord": chord?.json ?? nil,
            "callbacks": .array(callbacks.map(\.json)),
        ]
        return String(decoding: JSON.array([[], .object([]), embed.json]).bytes, as: UTF8.self)
    }

    private func sendChain(_ world: SimulatedWorld, _ name: String) {
        world.send("\(name)-1", body: body(chain: [step("\(name)-2"), step("\(name)-3")]))
    }

    private func sendChord(_ world: SimulatedWorld, _ name: String, size: Int) {
        world.chords[name] = SimulatedChord(size: size)
        for index in 0..<size {
            world.send(
                "\(name)-\(index)", headers: ["group": .string(name), "group_index": .int(Int64(index))],
                body: body(chord: step("\(name)-body", immutable: false)))
        }
    }

    private func chainWithChord(_ world: SimulatedWorld, _ name: String) {
        let chord = SignatureTree.chord(
            [step("\(name)-a"), step("\(name)-b")], body: step("\(name)-body"), options: ["task_id": .string(name)])
        world.send("\(name)-1", body: body(chain: [chord, step("\(name)-last")]))
    }

    private func ends(_ world: SimulatedWorld, _ ids: [String], _ seed: UInt64) {
        #expect(world.violations == [])
        #expect(world.core.inFlight.isEmpty && world.waiting.isEmpty && world.unsettled.isEmpty, "seed \(seed)")
        for id in ids {
            #expect(
                world.results[id]?.isFinal == true, "\(id) is \(world.results[id]?.rawValue ?? "unknown"), seed \(seed)"
            )
        }
    }

    @Test("every step of a chain ends, whatever crashes on the way", arguments: seeds)
    func chains(seed: UInt64) {
        let world = SimulatedWorld(seed: seed, faults: Self.rough)
        for number in 0..<8 { sendChain(world, "chain\(number)") }
        world.connect()
        world.run(steps: 500)
        world.calm()
        world.run()
        ends(world, (0..<8).flatMap { chain in (1...3).map { "chain\(chain)-\($0)" } }, seed)
    }

    @Test("every chord's body ends, whatever crashes on the way", arguments: seeds)
    func chords(seed: UInt64) {
        let world = SimulatedWorld(seed: seed, faults: Self.rough)
        for number in 0..<4 { sendChord(world, "chord\(number)", size: 4) }
        for number in 0..<3 { chainWithChord(world, "mixed\(number)") }
        world.connect()
        world.run(steps: 500)
        world.calm()
        world.run()
        let mixed = (0..<3).flatMap { ["mixed\($0)-1", "mixed\($0)-body", "mixed\($0)-last"] }
        ends(world, (0..<4).map { "chord\($0)-body" } + mixed, seed)
    }

    @Test("a host that dies at any moment leaves no chain or chord without an end", arguments: seeds)
    func hostDeath(seed: UInt64) {
        let world = SimulatedWorld(seed: seed, faults: .init(hostDeath: 0.02))
        for number in 0..<4 { sendChord(world, "chord\(number)", size: 3) }
        for number in 0..<4 { chainWithChord(world, "mixed\(number)") }
        world.connect()
        world.run(steps: 300)
        world.calm()
        world.run()
        for number in 0..<4 { #expect(world.results["chord\(number)-body"] == .success, "seed \(seed)") }
        for number in 0..<4 { #expect(world.results["mixed\(number)-last"] == .success, "seed \(seed)") }
        #expect(world.violations == [])
    }

    @Test("when everything fails, every step and every body has failed too")
    func allFails() {
        let world = SimulatedWorld(seed: 1, faults: .init(taskFailure: 1))
        sendChain(world, "chain")
        sendChord(world, "chord", size: 3)
        chainWithChord(world, "mixed")
        world.connect()
        world.run()
        for id in ["chain-1", "chain-2", "chain-3", "chord-body", "mixed-1", "mixed-body", "mixed-last"] {
            #expect(world.results[id] == .failure, "\(id)")
        }
        #expect(world.starts["chain-2"] == nil && world.starts["chord-body"] == nil)
        #expect(world.chords["chord"]?.failed == 1)
    }

    @Test("without faults a chord's body starts once and gets the results in order")
    func bodyOnce() throws {
        let world = SimulatedWorld(seed: 3)
        var bodies: [String] = []
        world.returns = { request in
            if request.id == "chord-body" { bodies.append(String(decoding: request.body, as: UTF8.self)) }
            return .success(Array(#""\#(request.id)""#.utf8))
        }
        sendChord(world, "chord", size: 3)
        world.connect()
        world.run()
        #expect(bodies.count == 1)
        #expect(bodies.first?.hasPrefix(#"[[["chord-0","chord-1","chord-2"]],"#) == true)
    }

    @Test("children name what followed, and what follows names its parent")
    func children() throws {
        let world = SimulatedWorld(seed: 3)
        sendChain(world, "chain")
        world.connect()
        world.run()
        let first = try JSON(parsing: #require(world.metas["chain-1"]), limits: .trusted)
        #expect(first["children"] == [[["chain-2", nil], nil]])
        let second = try JSON(parsing: #require(world.metas["chain-2"]), limits: .trusted)
        #expect(second["parent_id"] == "chain-1")
        #expect(second["children"] == [[["chain-3", nil], nil]])
    }

    @Test("a callback that cannot be called makes the task fail")
    func badCallback() {
        let world = SimulatedWorld(seed: 3)
        world.send("bad", body: #"[[],{},{"callbacks":[{"args":[]}]}]"#)
        world.connect()
        world.run()
        #expect(world.results["bad"] == .failure)
        #expect(world.unsettled.isEmpty)
    }

    @Test("errbacks are called with the failed task's id")
    func errbacks() throws {
        let world = SimulatedWorld(seed: 3)
        var called: [String] = []
        world.returns = { request in
            called.append(String(decoding: request.body, as: UTF8.self))
            guard request.id == "fails" else { return .success(Array("1".utf8)) }
            return .failure(TaskFailure(type: "ValueError", module: "builtins", arguments: Array("[]".utf8)))
        }
        world.send("fails", body: #"[[],{},{"errbacks":[{"task":"t","args":[7],"kwargs":{},"options":{}}]}]"#)
        world.connect()
        world.run()
        #expect(called.count == 2)
        #expect(called.last?.hasPrefix(#"[["fails",7],"#) == true)
    }

    @Test("a chord's body that never runs has its errbacks among its children")
    func chordErrbacks() throws {
        let world = SimulatedWorld(seed: 3)
        world.chords["g"] = SimulatedChord(size: 1)
        world.returns = { request in
            guard request.id == "member" else { return .success(Array("1".utf8)) }
            return .failure(TaskFailure(type: "ValueError", module: "builtins", arguments: Array(#"["bad",7]"#.utf8)))
        }
        let options = #"{"task_id":"body","link_error":[{"task":"t","args":[],"kwargs":{},"options":{}}]}"#
        world.send(
            "member", headers: ["group": .string("g"), "group_index": .int(0)],
            body: #"[[],{},{"chord":{"task":"t","args":[],"kwargs":{},"options":\#(options)}}]"#)
        world.connect()
        world.run()
        let meta = try JSON(parsing: #require(world.metas["body"]), limits: .trusted)
        #expect(meta["result"]?["exc_type"] == "ChordError")
        #expect(meta["result"]?["exc_message"] == ["Dependency member raised ValueError('bad', 7)"])
        #expect(meta["children"]?.elements?.first?.elements?.last?.elements?.count == 1)
    }

    @Test("what a task sends is confirmed before the task is settled, and is among its children", arguments: seeds)
    func sends(seed: UInt64) throws {
        let world = SimulatedWorld(seed: seed, faults: .init(storeFailure: 0.2, publishFailure: 0.3))
        world.sends["parent"] = [
            Submission(kind: .send, taskID: "child", content: SignatureTree("t").json.bytes),
            Submission(kind: .send, taskID: "other", content: SignatureTree("t").json.bytes),
        ]
        world.send("parent")
        world.connect()
        world.run()
        #expect(world.results["child"] == .success && world.results["other"] == .success)
        let meta = try JSON(parsing: #require(world.metas["parent"]), limits: .trusted)
        #expect(meta["children"] == [[["child", nil], nil], [["other", nil], nil]])
        ends(world, ["parent"], seed)
    }

    @Test("a message of a task's own making goes out once, before its end, and never to where workers are commanded")
    func ownMessages() throws {
        let world = SimulatedWorld(seed: 4, faults: .init(storeFailure: 0.2, publishFailure: 0.3))
        let message =
            #""headers":{"task":"t","id":"child"},"body":"W1tdLHt9LHt9XQ==","#
            + #""properties":{"content_type":"application/json","content_encoding":"utf-8"}}"#
        let places = [
            #"{"routing_key":"q","#, #"{"exchange":"celery.pidbox","#, #"{"routing_key":"a@b.celery.pidbox","#,
        ]
        world.sends["parent"] =
            places.map { Submission(kind: .message, content: Array(($0 + message).utf8)) }
            + [Submission(kind: .children, content: Array(#"[[["child",null],null]]"#.utf8))]
        world.send("parent")
        world.connect()
        world.run()
        #expect(world.results == ["parent": .success, "child": .success])
        #expect(world.notes.count { if case .notFollowed = $0 { true } else { false } } == 2)
        let meta = try JSON(parsing: #require(world.metas["parent"]), limits: .trusted)
        #expect(meta["children"] == [[["child", nil], nil]])
        ends(world, ["parent"], 4)
    }

    @Test("a task that replaces itself ends with the other's result, and its chain goes on")
    func replacement() {
        let world = SimulatedWorld(seed: 3)
        world.returns = { request in
            request.id == "a" && request.starts == 1 && request.retries == 0 && !request.headersJSON.isEmpty
                && !String(decoding: request.headersJSON, as: UTF8.self).contains(#""replaced_task_nesting":1"#)
                ? .replace(SignatureTree.chain([SignatureTree("t"), SignatureTree("t")]).json.bytes)
                : .success(Array("2".utf8))
        }
        world.send("a", body: body(chain: [step("b")]))
        world.connect()
        world.run()
        #expect(world.results["a"] == .success && world.results["b"] == .success)
        #expect(world.starts["a"] == 2)
    }

    @Test("a member added to a chord is waited for")
    func added() {
        let world = SimulatedWorld(seed: 3)
        world.sends["chord-0"] = [
            Submission(kind: .addToChord, taskID: "extra", content: SignatureTree("t").json.bytes)
        ]
        sendChord(world, "chord", size: 2)
        world.connect()
        world.run()
        #expect(world.results["extra"] == .success && world.results["chord-body"] == .success)
        #expect(world.chords["chord"]?.parts.count == 3)
    }
}

@Suite("Builtin tasks")
struct BuiltinTests {
    private func world(_ name: String, _ body: String) -> SimulatedWorld {
        let world = SimulatedWorld(seed: 1)
        world.returns = { request in
            // The first argument back.
            .success((JSON(trusting: request.body).elements?.first?.elements?.first ?? nil).bytes)
        }
        world.send("b", headers: ["task": .string(name)], body: body)
        world.connect()
        world.run()
        return world
    }

    private func result(_ world: SimulatedWorld) throws -> JSON? {
        try JSON(parsing: #require(world.metas["b"]), limits: .trusted)["result"]
    }

    @Test("accumulate gives one argument, or all")
    func accumulate() throws {
        #expect(try result(world("celery.accumulate", #"[[[1,2]],{"index":0},{}]"#)) == [1, 2])
        #expect(try result(world("celery.accumulate", #"[[1,2],{},{}]"#)) == [1, 2])
        #expect(world("celery.accumulate", #"[[1],{"index":5},{}]"#).results["b"] == .failure)
    }

    @Test("map and starmap call a native task with one item after the other")
    func maps() throws {
        let task = #"{"task":"t","args":[],"kwargs":{},"options":{}}"#
        let mapped = world("celery.map", #"[[],{"task":\#(task),"it":[5,6,7]},{}]"#)
        #expect(try result(mapped) == [5, 6, 7])
        #expect(mapped.starts["b"] == 3 && mapped.mostRunning == 1)
        #expect(try result(world("celery.starmap", #"[[],{"task":\#(task),"it":[[5,1],[6,1]]},{}]"#)) == [5, 6])
        #expect(try result(world("celery.map", #"[[],{"task":\#(task),"it":[]},{}]"#)) == [])
        let unknown = world("celery.map", #"[[],{"task":{"task":"x"},"it":[1]},{}]"#)
        #expect(unknown.results["b"] == .failure && unknown.unsettled.isEmpty)
    }

    @Test("chunks publishes a group of starmaps and gives its tuple")
    func chunks() throws {
        let task = #"{"task":"t","args":[],"kwargs":{},"options":{}}"#
        let chunked = world("celery.chunks", #"[[],{"task":\#(task),"it":[[1],[2],[3]],"n":2},{}]"#)
        #expect(chunked.results.count == 3 && chunked.results.values.allSatisfy { $0 == .success })
        #expect(try result(chunked)?.elements?.last?.elements?.count == 2)
    }

    @Test("a chain is no task")
    func chain() throws {
        let world = world("celery.chain", "[[],{},{}]")
        #expect(world.results["b"] == .failure)
        #expect(try result(world)?["exc_type"] == "NotImplementedError")
    }

    @Test("a cleanup has nothing to do: stores forget by themselves")
    func cleanup() throws {
        #expect(try result(world("celery.backend_cleanup", "[[],{},{}]")) == .null)
    }

    @Test("a group of old clients sends its members with the partial arguments before their own")
    func group() throws {
        let task = #"{"task":"t","args":[9],"kwargs":{},"options":{"task_id":"m"}}"#
        let tuple = #"[["g",null],[[["m",null],null]]]"#
        let world = world("celery.group", #"[[[\#(task)],\#(tuple),"g",[4]],{},{}]"#)
        #expect(try result(world) == JSON(parsing: Array(tuple.utf8), limits: .trusted))
        #expect(try JSON(parsing: #require(world.metas["m"]), limits: .trusted)["result"] == 4)
    }

    @Test("a chord of old clients is run, and gives the result-to-be of its body")
    func chord() throws {
        let task = #"{"task":"t","args":[7],"kwargs":{},"options":{}}"#
        let body = #"{"task":"t","args":[],"kwargs":{},"options":{"task_id":"body"}}"#
        let world = world("celery.chord", #"[[[\#(task),\#(task)],\#(body)],{},{}]"#)
        #expect(try result(world)?.elements?.first?.elements?.first == "body")
        #expect(try JSON(parsing: #require(world.metas["body"]), limits: .trusted)["result"] == [7, 7])
    }
}
