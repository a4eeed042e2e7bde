// Codable values and Kombu's JSON.
import Foundation
import Testing

@testable import TaskhostClient

@Suite("Values") struct ValueTests {
    @Test("numbers that JSON lacks go there and back")
    func numbers() throws {
        let json = try ValueCoding.json([1.5, .infinity, -.infinity, .nan])
        #expect(json.elements?[1] == .double(.infinity))
        let back = try ValueCoding.decode([Double].self, from: json)
        #expect(back[0] == 1.5 && back[1] == .infinity && back[2] == -.infinity && back[3].isNaN)
    }

    @Test("dates and bytes are Kombu's typed maps")
    func typed() throws {
        let date = Date(timeIntervalSince1970: 1_800_000_000.25)
        let json = try ValueCoding.json(date)
        #expect(json["__type__"] == .string("datetime"))
        #expect(try ValueCoding.decode(Date.self, from: json) == date)
        let bytes = Data([0, 255, 10])
        #expect(try ValueCoding.json(bytes)["__type__"] == .string("base64"))
        #expect(try ValueCoding.decode(Data.self, from: try ValueCoding.json(bytes)) == bytes)
    }

    @Test("a result of another shape is told with both shapes' names")
    func shape() {
        #expect {
            _ = try ValueCoding.decode(Int.self, from: .string("four"))
        } throws: { "\($0)".contains("Int") }
    }

    @Test("signatures are written as Celery writes them")
    func signatures() throws {
        let chain = Signature("demo.add", 4, 6) | Signature("demo.double").immutable.options { $0.queue = "q" }
        let json = chain.json
        #expect(json["task"] == "celery.chain" && json["subtask_type"] == "chain")
        let steps = try #require(json["kwargs"]?["tasks"]?.elements)
        #expect(steps.count == 2)
        #expect(steps[0]["args"] == [4, 6])
        #expect(steps[1]["immutable"] == true && steps[1]["options"]?["queue"] == "q")
    }

    @Test("groups and what stands beside them are written as Celery writes them")
    func groups() throws {
        let step = Signature("demo.add", 1)
        let pair = group(step, step).options { $0.priority = 3 }
        let led = (step | step | pair).signature.json
        #expect(led["subtask_type"] == "chain")
        let steps = try #require(led["kwargs"]?["tasks"]?.elements)
        #expect(steps.count == 3 && steps[2]["subtask_type"] == "group" && steps[2]["options"]?["priority"] == 3)
        #expect((pair | step).kind == "chain" && (pair | pair).signature.tasks.map(\.kind) == ["group", "group"])
        #expect((step | (step | pair)).signature.tasks.count == 3)
        #expect(chord([step, pair], step).tasks.map(\.kind) == [nil, "group"])
    }

    @Test("options said later win, those said before stay")
    func options() {
        let step = Signature("demo.add").options { $0.queue = "a" }.options { $0.priority = 1 }.options {
            $0.queue = "b"
        }
        #expect(step.options == ["queue": "b", "priority": 1])
    }

    @Test("what cannot be sent as JSON is refused where it is written")
    func refused() {
        struct Never: Encodable, Sendable {
            func encode(to encoder: any Encoder) throws {
                throw EncodingError.invalidValue(self, .init(codingPath: [], debugDescription: "never"))
            }
        }
        #expect(throws: ClientError.self) { try Signature("demo.add", Never()) }
        #expect(throws: ClientError.self) { try Signature("demo.add", kwargs: ["x": Never()]) }
        #expect(throws: ClientError.self) { try TaskName("demo.add")(Never()) }
    }

    @Test("a chain of chains is one chain, unless one says something of its own")
    func flattened() {
        let step = Signature("demo.add", 1)
        let flat = ((step | step) | (step | step)).json
        #expect(flat["kwargs"]?["tasks"]?.elements?.count == 4)
        let kept = ((step | step).onSuccess(step) | step).json
        #expect(kept["kwargs"]?["tasks"]?.elements?.count == 2)
    }
}
