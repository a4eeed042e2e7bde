// Errbacks that take the failure itself are called where the task failed (celery-protocol.md §3.12).
import Canvas
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import Engine

@Suite("Errbacks that take the failure")
struct ErrbackTests {
    private static let failing = #"[[3],{},{"errbacks":[{"task":"errback","args":[7],"kwargs":{},"options":{}}]}]"#

    /// Everything fails but errbacks, whose calls are counted.
    private func world(_ seed: UInt64 = 3, faults: SimulatedWorld.Faults = .init()) -> (SimulatedWorld, Calls) {
        let world = SimulatedWorld(seed: seed, faults: faults)
        let calls = Calls()
        world.returns = { request in
            if request.taskName == "errback" {
                calls.bodies.append(request.body)
                return .success(Array("1".utf8))
            }
            return .failure(TaskFailure(type: "ValueError", module: "builtins", arguments: Array("[]".utf8)))
        }
        return (world, calls)
    }

    @Test("one that can never be called fails under its own id, and keeps nobody from the others")
    func uncallable() {
        let (world, calls) = world()
        let bad = #"{"task":"t","options":{"task_id":"never","queue":"amq.reserved"}}"#
        world.send("fails", body: #"[[],{},{"errbacks":[\#(bad),{"task":"errback","args":[7]}]}]"#)
        world.connect()
        world.run()
        #expect(world.results == ["fails": .failure, "never": .failure])
        #expect(calls.bodies.count == 1 && world.unsettled.isEmpty)
    }

    final class Calls {
        var bodies: [[UInt8]] = []
    }

    @Test("it is called once, with request, exception and traceback, and leaves neither message nor result")
    func calledHere() throws {
        let (world, calls) = world()
        world.send("fails", body: Self.failing)
        world.connect()
        world.run()
        let body = try JSON(parsing: #require(calls.bodies.first), limits: .trusted).elements ?? []
        let args = body.first?.elements ?? []
        #expect(calls.bodies.count == 1)
        #expect(args.count == 4 && args[0]["id"] == "fails" && args[0]["args"] == [3])
        #expect(args[1]["exc_type"] == "ValueError" && args[3] == 7)
        #expect(world.results == ["fails": .failure])
        #expect(world.acknowledged.count == 1 && world.waiting.isEmpty && world.unsettled.isEmpty)
        #expect(world.core.inFlight.errbackCount == 0)
    }

    @Test(
        "one whose own arguments leave it a single parameter is a task like any other",
        arguments: [#""args":[7]"#, #""kwargs":{"label":7}"#])
    func oneParameterLeft(own: String) {
        let (world, _) = world()
        world.send("fails", body: #"[[],{},{"errbacks":[{"task":"labelled",\#(own),"options":{"task_id":"own"}}]}]"#)
        world.connect()
        world.run()
        #expect(world.results == ["fails": .failure, "own": .failure] && world.unsettled.isEmpty)
    }

    @Test("it belongs to the trace of the failed task's run")
    func traced() throws {
        let (world, _) = world()
        let failed = world.returns
        var traces: [String: TraceContext] = [:]
        world.returns = { request in
            traces[request.taskName] = request.trace
            return failed(request)
        }
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        world.send(
            "fails", headers: ["traceparent": .string(parent), "tracestate": .string("vendor=1")], body: Self.failing)
        world.connect()
        world.run()
        let trace = try #require(traces["errback"])
        #expect(trace.traceparent == parent && trace.state == "vendor=1")
        #expect(traces["t"] == trace)
    }

    @Test("of a chord's body that is never called it gets the body's id")
    func chordBody() throws {
        let (world, calls) = world()
        world.chords["g"] = SimulatedChord(size: 1)
        let options = #"{"task_id":"body","link_error":[{"task":"errback","args":[],"kwargs":{},"options":{}}]}"#
        world.send(
            "member", headers: ["group": .string("g"), "group_index": .int(0)],
            body: #"[[],{},{"chord":{"task":"t","args":[1],"kwargs":{},"options":\#(options)}}]"#)
        world.connect()
        world.run()
        let body = try JSON(parsing: #require(calls.bodies.first), limits: .trusted).elements ?? []
        #expect(calls.bodies.count == 1)
        #expect(body.first?.elements?.first?["id"] == "body")
        #expect(body.first?.elements?.first?["args"] == [1])
    }

    @Test("a failed member can be seen before its chord's body fails, so that a client hears what the member raised")
    func memberFirst() throws {
        for seed in UInt64(1)...20 {
            let (world, _) = world(seed)
            world.chords["g"] = SimulatedChord(size: 1)
            world.send(
                "member", headers: ["group": .string("g"), "group_index": .int(0)],
                body: #"[[],{},{"chord":{"task":"t","args":[],"kwargs":{},"options":{"task_id":"body"}}}]"#)
            world.connect()
            world.run()
            let lead = try #require(world.storedAt["body"]) - #require(world.storedAt["member"])
            #expect(lead >= 25_000_000, "nanoseconds")
        }
    }

    @Test("no fault of runner, store, link or host loses it, and the task is settled", arguments: UInt64(1)...60)
    func faults(seed: UInt64) {
        let (world, calls) = world(
            seed, faults: .init(linkLoss: 0.02, hostDeath: 0.02, storeFailure: 0.1, notStarted: 0.2, runnerFault: 0.2))
        for number in 0..<8 { world.send("fails-\(number)", body: Self.failing) }
        world.connect()
        world.run(steps: 300)
        world.calm()
        world.run()
        #expect(world.violations.isEmpty)
        #expect(world.waiting.isEmpty && world.unsettled.isEmpty && world.core.inFlight.isEmpty)
        let names = Set(
            calls.bodies.map { body in
                JSON(trusting: body).elements?.first?.elements?.first?["id"]?.text ?? "?"
            })
        #expect(names.count == 8)
        #expect(world.results.count == 8)
    }

    @Test("one that dies is not called again, and the failed task is settled all the same")
    func dies() {
        let (world, _) = world()
        let failed = world.returns
        world.returns = { $0.taskName == "errback" ? .died(Death(cause: .signal(11))) : failed($0) }
        world.send("fails", body: Self.failing)
        world.connect()
        world.run()
        #expect(world.startOrder.count == 2)
        #expect(world.acknowledged.count == 1)
    }

    @Test("a cold stop gives the failed task back, so that its errback is called by the next worker")
    func coldStop() {
        let (world, calls) = world()
        world.send("fails", body: Self.failing)
        world.connect()
        while calls.bodies.isEmpty { world.run(steps: 1) }
        world.post(.stop(.cold))
        world.run()
        #expect(world.stopped)
        #expect(world.waiting.count == 1 && world.acknowledged.isEmpty)
    }
}
