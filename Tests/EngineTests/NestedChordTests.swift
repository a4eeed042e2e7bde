// What fails without ever being run, as a part of a chord: the chord hears of it, however deep it lies.
import Canvas
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import Engine

@Suite("Chords within chords, groups after groups")
struct NestedChordTests {
    private let failure = TaskFailure(type: "ValueError", module: "builtins", arguments: Array(#"["bad"]"#.utf8))

    private func step(_ id: String, task: String = "t", linkError: JSON? = nil) -> SignatureTree {
        var step = SignatureTree(task, options: ["task_id": .string(id)], isImmutable: true)
        if let linkError { step.options["link_error"] = [linkError] }
        return step
    }

    /// Runs a chain of a task "first" and the signature; tasks whose id begins with "bad" fail.
    private func run(_ signature: SignatureTree, revoked: [String] = []) -> SimulatedWorld {
        let world = SimulatedWorld(seed: 1)
        world.returns = { [failure] request in
            switch request.id {
            case "ignores": .ignore(nil)
            case let id where id.hasPrefix("bad"): .failure(failure)
            default: .success(Array("1".utf8))
            }
        }
        let embed: JSONMap = ["chain": [signature.json]]
        world.send("first", body: String(decoding: JSON.array([[], .object([]), embed.json]).bytes, as: UTF8.self))
        world.connect()
        if !revoked.isEmpty { world.post(.revoke(revoked, terminate: nil)) }
        world.run()
        #expect(world.violations == [])
        return world
    }

    private func failsWithChordError(_ world: SimulatedWorld, _ id: String) throws {
        #expect(world.results[id] == .failure)
        let meta = try JSON(parsing: #require(world.metas[id]), limits: .trusted)
        #expect(meta["result"]?["exc_type"] == "ChordError")
    }

    @Test("a chord that fails within the header of another fails that one, and its errback is called once")
    func chordInHeader() throws {
        let errback: JSON = ["task": "t", "args": [], "kwargs": .object([]), "options": ["task_id": "errback"]]
        let world = run(
            .chord(
                [.chord([step("bad"), step("good")], body: step("inner")), step("other")],
                body: step("outer", linkError: errback)))
        try failsWithChordError(world, "inner")
        try failsWithChordError(world, "outer")
        #expect(world.starts["inner"] == nil && world.starts["outer"] == nil)
        #expect(world.starts["errback"] == 1)
    }

    @Test("an errback that clients have linked to the inner body, too, is called once")
    func linkedTwice() throws {
        let errback: JSON = ["task": "t", "args": [], "kwargs": .object([]), "options": ["task_id": "errback"]]
        let bodies = [
            step("inner", linkError: errback), .group([step("x", linkError: errback), step("y", linkError: errback)]),
        ]
        for inner in bodies {
            let world = run(
                .chord(
                    [.chord([step("bad"), step("good")], body: inner), step("other")],
                    body: step("outer", linkError: errback)))
            try failsWithChordError(world, "outer")
            #expect(world.starts["errback"] == 1)
        }
    }

    @Test("the same three deep, and at the end of a chain")
    func deeper() throws {
        let inner = SignatureTree.chain([step("a"), .chord([step("bad"), step("good")], body: step("inner"))])
        let world = run(.chord([.chord([inner, step("b")], body: step("middle")), step("c")], body: step("outer")))
        for id in ["inner", "middle", "outer"] { try failsWithChordError(world, id) }
    }

    @Test("an inner body that is a group counts with each of its members")
    func groupAsBody() throws {
        let world = run(
            .chord(
                [.chord([step("bad"), step("good")], body: .group([step("x"), step("y")])), step("other")],
                body: step("outer")))
        #expect(world.results["x"] == .failure && world.results["y"] == .failure)
        try failsWithChordError(world, "outer")
    }

    @Test("a chain that fails before the group at its end fails the chord that counts on that group")
    func groupAtTheEnd() throws {
        let world = run(
            .chord([.chain([step("bad"), .group([step("x"), step("y")])]), step("other")], body: step("outer")))
        #expect(world.results["x"] == .failure && world.results["y"] == .failure)
        try failsWithChordError(world, "outer")
    }

    @Test("a task that lets a group take its place, which fails, fails its chord")
    func replacedByGroup() throws {
        let world = SimulatedWorld(seed: 1)
        world.returns = { [failure, self] request in
            if request.id.hasPrefix("bad") { return .failure(failure) }
            guard request.id == "swap" else { return .success(Array("1".utf8)) }
            return .replace(SignatureTree.group([step("bad"), step("good")]).json.bytes)
        }
        let chord = SignatureTree.chord([step("swap"), step("other")], body: step("outer"))
        let embed: JSONMap = ["chain": [chord.json]]
        world.send("first", body: String(decoding: JSON.array([[], .object([]), embed.json]).bytes, as: UTF8.self))
        world.connect()
        world.run()
        try failsWithChordError(world, "outer")
    }

    @Test("a member that no bundle has fails its chord, with the chain that was to follow it")
    func unknownMember() throws {
        let unknown = step("unknown", task: "nobody.has.it")
        let world = run(.chord([.chain([unknown, step("next")]), step("other")], body: step("outer")))
        #expect(world.results["unknown"] == .failure && world.results["next"] == .failure)
        try failsWithChordError(world, "outer")
        #expect(world.dead.count == 1)
    }

    @Test("a revoked step fails the chord that counts on the end of its chain")
    func revokedStep() throws {
        let world = run(
            .chord([.chain([step("gone"), step("next")]), step("other")], body: step("outer")), revoked: ["gone"])
        #expect(world.results["gone"] == .revoked && world.results["next"] == nil)
        try failsWithChordError(world, "outer")
    }

    @Test("a member that ends by Ignore has no state, and its chord fails; so it does for a step of a member")
    func ignoredMember() throws {
        for header in [[step("ignores"), step("other")], [.chain([step("ignores"), step("next")]), step("other")]] {
            let world = run(.chord(header, body: step("outer")))
            #expect(world.results["ignores"] == nil && world.results["next"] == nil && world.starts["next"] == nil)
            try failsWithChordError(world, "outer")
            let meta = String(decoding: try #require(world.metas["outer"]), as: UTF8.self)
            #expect(meta.contains("raised Ignore("))
        }
    }

    @Test("of groups after groups each task runs once, and none before all of the group in front of it")
    func groupsAfterGroups() {
        let names = ["a", "b", "c", "d"].map { name in (0..<3).map { "\(name)\($0)" } }
        let world = run(.chain(names.map { .group($0.map { step($0) }) }))
        #expect(world.startOrder.count == 13)
        for (place, group) in names.enumerated() {
            #expect(Set(world.startOrder[(1 + 3 * place)..<(4 + 3 * place)]) == Set(group))
        }
    }

    @Test("the same as Celery's clients send it: the second group as body, the third in its options")
    func groupsAsSent() throws {
        func group(_ name: String, _ id: String, more: JSONMap = [:]) -> JSON {
            let tasks = (0..<2).map { index -> JSON in
                var task = step("\(name)\(index)")
                task.options["group_index"] = .int(Int64(index))
                if name == "b" { task.options["group_id"] = "ga" }
                return task.json
            }
            var options: JSONMap = ["task_id": .string(id)]
            options.merge(more)
            return [
                "task": "celery.group", "args": [], "kwargs": ["tasks": .array(tasks)], "options": options.json,
                "subtask_type": "group", "immutable": false,
            ]
        }
        let body = group("b", "gb", more: ["group_id": "ga", "chain": [group("c", "gc")]])
        let world = SimulatedWorld(seed: 1)
        world.chords["ga"] = SimulatedChord(size: 2)
        for index in 0..<2 {
            let embed: JSONMap = ["chord": body]
            world.send(
                "a\(index)", headers: ["group": .string("ga"), "group_index": .int(Int64(index))],
                body: String(decoding: JSON.array([[], .object([]), embed.json]).bytes, as: UTF8.self))
        }
        world.connect()
        world.run()
        #expect(Set(world.startOrder[0..<2]) == ["a0", "a1"])
        #expect(Set(world.startOrder[2..<4]) == ["b0", "b1"])
        #expect(world.startOrder[4...].sorted() == ["c0", "c1"])
    }
}
