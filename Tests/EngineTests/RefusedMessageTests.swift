// What is refused and has an id ends for whoever waits for it: result, chord, errbacks; and lies in the dead letters.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import Engine

@Suite("Refused messages")
struct RefusedMessageTests {
    private func world(_ change: (inout EngineOptions) -> Void = { _ in }) -> SimulatedWorld {
        var options = EngineOptions.usual(
            slots: 2, queues: [QueuePreference(declaration: QueueDeclaration(name: "q"))], nodeName: "sim@test")
        options.wireLimits = WireLimits(maxBodyBytes: 2048, maxDepth: 12, maxNodes: 100)
        change(&options)
        return SimulatedWorld(seed: 1, options: options)
    }

    private func result(_ world: SimulatedWorld, _ id: String) throws -> JSON {
        try JSON(parsing: #require(world.metas[id]), limits: .trusted)["result"] ?? nil
    }

    private static let chord = #"{"task":"t","args":[],"kwargs":{},"options":{"task_id":"body"}}"#
    private static let errback = #"{"task":"t","args":[],"kwargs":{},"options":{"task_id":"errback"},"immutable":true}"#
    private static let embed = #"{"callbacks":null,"errbacks":[\#(errback)],"chain":null,"chord":\#(chord)}"#

    static let bodies: [(String, String, FieldTable)] = [
        ("too large", #"[["\#(String(repeating: "x", count: 3000))"],{},\#(embed)]"#, [:]),
        ("too many values", "[[\(Array(repeating: "1", count: 200).joined(separator: ","))],{},\(embed)]", [:]),
        ("too deep", "[[\(String(repeating: "[", count: 20))\(String(repeating: "]", count: 20))],{},\(embed)]", [:]),
        ("no time", "[[],{},\(embed)]", ["eta": .string("soon")]),
        ("no limits", "[[],{},\(embed)]", ["timelimit": .string("long")]),
    ]

    @Test("a member of a chord that is refused fails its body, calls its errback and is kept", arguments: bodies)
    func member(_ name: String, _ body: String, _ headers: FieldTable) throws {
        let world = world()
        world.chords["g"] = SimulatedChord(size: 2)
        let group: FieldTable = ["group": .string("g"), "group_index": .int(0)]
        var all = headers
        for field in group.fields { all[field.key] = field.value }
        world.send("refused", headers: all, body: body)
        world.send("good", headers: group, body: "[[],{},\(Self.embed)]")
        world.connect()
        world.run()
        #expect(world.results["refused"] == .failure, "\(name)")
        #expect(world.results["body"] == .failure, "\(name)")
        #expect(try result(world, "body")["exc_type"] == "ChordError")
        #expect(world.starts["errback"] == 1 && world.starts["refused"] == nil)
        #expect(world.dead.count == 1 && world.unsettled.isEmpty && world.violations == [])
    }

    @Test("pickle, broken text and unknown compressions end as failures that say why")
    func unreadable() throws {
        let world = world()
        func send(_ id: String, type: String, headers: FieldTable = [:], body: [UInt8]) {
            var properties = MessageProperties()
            properties.contentType = type
            var all: FieldTable = ["task": .string("t"), "id": .string(id)]
            for field in headers.fields { all[field.key] = field.value }
            world.enqueue(WireMessage(properties: properties, headers: all, body: body), redelivered: false)
        }
        send("pickle", type: "application/x-python-serialize", body: [0x80, 0x02])
        send("broken", type: "application/json", body: Array("[[1,{".utf8))
        send("packed", type: "application/json", headers: ["compression": .string("x-zip")], body: [0])
        world.connect()
        world.run()
        #expect(try result(world, "pickle")["exc_type"] == "ContentDisallowed")
        #expect(try result(world, "broken")["exc_type"] == "DecodeError")
        #expect(try result(world, "packed")["exc_type"] == "DecodeError")
        #expect(world.dead.count == 3 && world.unsettled.isEmpty)
    }

    @Test("where only signed messages are believed, nobody is told of one that may be forged")
    func forged() {
        let world = world { $0.acceptContent = ["auth"] }
        world.send("forged", body: "[[],{},\(Self.embed)]")
        world.connect()
        world.run()
        #expect(world.metas["forged"] == nil && world.starts["errback"] == nil)
        #expect(world.dead.count == 1)
    }
}
