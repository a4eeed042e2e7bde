// Context of other systems travels on with what follows a task.
import CeleryWire
import Ports
import TaskModel
import Testing

@testable import Engine

@Suite("Headers that travel on")
struct CarriedHeadersTests {
    private func next(_ names: [String], _ headers: FieldTable) throws -> FieldTable {
        var options = EngineOptions.usual(
            slots: 2, queues: [QueuePreference(declaration: QueueDeclaration(name: "q"))], nodeName: "sim@test")
        options.carriedHeaders = names
        let world = SimulatedWorld(seed: 1, options: options)
        world.send(
            "a", headers: headers,
            body: #"[[],{},{"chain":[{"task":"t","args":[],"kwargs":{},"options":{"task_id":"b"}}]}]"#)
        world.connect()
        world.run()
        #expect(world.results["b"] == .success)
        let message = try #require(world.acknowledged.first { $0.headers["id"]?.text == "b" })
        return message.headers
    }

    @Test("baggage and Sentry's trace reach the next step, at both places where Python's tasks look")
    func carried() throws {
        let headers: FieldTable = [
            "baggage": .string("k=v"), "sentry-trace": .string("1-2-1"), "other": .string("x"),
            "headers": .table(["sentry-trace": .string("1-2-1"), "other": .string("x")]),
        ]
        let next = try next(["baggage", "sentry-trace"], headers)
        #expect(next["baggage"]?.text == "k=v" && next["sentry-trace"]?.text == "1-2-1" && next["other"] == nil)
        #expect(next["headers"] == .table(["sentry-trace": .string("1-2-1")]))
    }

    @Test("only what is listed, and nothing of a size that nobody need carry")
    func bounded() throws {
        let headers: FieldTable = ["baggage": .string(String(repeating: "x", count: 9_000)), "b3": .string("1")]
        let next = try next(["baggage", "b3"], headers)
        #expect(next["baggage"] == nil && next["b3"]?.text == "1")
        #expect(try self.next([], headers)["b3"] == nil)
    }

    @Test("what a signature names itself stays, at both places")
    func own() {
        var headers: FieldTable = ["baggage": .string("own"), "headers": .table(["baggage": .string("own")])]
        let carried: FieldTable = [
            "baggage": .string("k"), "b3": .string("1"),
            "headers": .table(["baggage": .string("k"), "b3": .string("1")]),
        ]
        CarriedHeaders.put(carried, into: &headers)
        #expect(
            headers == [
                "baggage": .string("own"), "headers": .table(["baggage": .string("own"), "b3": .string("1")]),
                "b3": .string("1"),
            ])
    }
}
