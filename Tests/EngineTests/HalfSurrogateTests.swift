// Texts that are no Unicode, as Python's `os.fsdecode` makes of names of files: passed on, not dropped.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import Engine

@Suite("Halves of surrogate pairs")
struct HalfSurrogateTests {
    private func world(
        _ embed: String, returns: @escaping (StartRequest) -> Outcome = { _ in .success(Array("1".utf8)) }
    ) -> SimulatedWorld {
        let options = EngineOptions.usual(
            slots: 2, queues: [QueuePreference(declaration: QueueDeclaration(name: "q"))], nodeName: "sim@test")
        let world = SimulatedWorld(seed: 1, options: options)
        world.returns = returns
        world.send("a", body: "[[],{},\(embed)]")
        world.connect()
        world.run()
        return world
    }

    private static let next =
        #"{"task":"t","args":["x\udcffy"],"kwargs":{},"options":{"task_id":"b"},"immutable":true}"#

    @Test("what follows a task is called with them as they came", arguments: ["chain", "callbacks"])
    func follows(_ way: String) throws {
        let world = world(#"{"\#(way)":[\#(Self.next)]}"#)
        #expect(world.results["a"] == .success && world.results["b"] == .success)
        let message = try #require(world.acknowledged.first { $0.headers["id"]?.text == "b" })
        #expect(String(decoding: message.body, as: UTF8.self).contains(#"["x\udcffy"]"#))
    }

    @Test("a result that nothing can hold fails what it was for, and is not passed on as something else")
    func results() {
        let world = world(#"{"chain":[{"task":"t","options":{"task_id":"b"}}]}"#) { _ in
            .success(Array(#"{"\udcff":1}"#.utf8))
        }
        #expect(world.results["a"] == .failure && world.results["b"] == .failure)
    }

    @Test("a key that cannot be held is refused, and not dropped with all that follows")
    func keys() {
        let world = world(#"{"chain":[{"task":"t","kwargs":{"\udcff":1},"options":{"task_id":"b"}}]}"#)
        #expect(world.results["a"] == .failure)
    }
}
