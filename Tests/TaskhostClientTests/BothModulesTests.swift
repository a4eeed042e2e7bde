// A program that sends and defines tasks: both modules in one file, and one Signature.
import Foundation
import TaskhostClient
import TaskhostSDK
import Testing

private struct Appoint: TaskDeclaration {
    static let taskName = "demo.add"
    typealias Output = Int
    var x: Int
    var on: Date
}

@Suite("TaskhostClient and TaskhostSDK in one file")
struct BothModulesTests {
    private let x = 4

    @Test("a signature is the same value, however it was written")
    func oneValue() throws {
        let literal: Signature = Signature("demo.add", 4, "six", [1, 2])
        let encoded = try Signature("demo.add", x, "six", [1, 2])
        #expect(literal == encoded)
        #expect(try TaskName("demo.add")(x, "six", [1, 2]) == literal)
        #expect(try Signature("demo.add", kwargs: ["x": x]) == Signature("demo.add", keywords: ["x": 4]))
        #expect(Signature("demo.double").json["args"] == [])
    }

    @Test("groups of either module make the same canvas")
    func canvases() {
        let add = Signature("demo.add", 1)
        let (ours, theirs) = (group(add, add) | add.immutable, Signature.group([add, add]) | add.immutable)
        #expect(ours == theirs)
        #expect(chord([add, add], add) == .chord([add, add], body: add))
        #expect(add.onError(add.options { $0.queue = "q" }) == add.linkedError(to: add.option("queue", "q")))
    }

    @Test("a declared task is written as the client writes it")
    func declared() throws {
        let signature = try Signature(Appoint(x: 4, on: Date(timeIntervalSince1970: 0)))
        #expect(signature.task == "demo.add")
        #expect(signature.json["kwargs"]?["x"] == 4)
        #expect(signature.json["kwargs"]?["on"]?["__type__"] == "datetime")
    }
}
