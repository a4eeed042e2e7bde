// What is due later, as monitors are told; and what workers of other ages tell of revoked ids.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import Control

@Suite("Remote control, what is due later")
struct LaterTests {
    let engine = FakeEngine()
    let channel = FakeChannel()
    let service: ControlService
    private static let now = WallTime(secondsSince1970: 1_800_000_000)

    init() {
        let facts = ControlFacts(version: "1", broker: [], resultStore: "", settings: { _ in [] })
        service = ControlService(
            channel: channel, engine: engine, facts: facts, loop: FakeLoop(), log: { _, _ in })
        service.open()
    }

    private func ask(_ method: String, _ arguments: JSON = [:]) throws -> JSON {
        let body: JSON = [
            "method": .string(method), "arguments": arguments, "ticket": "t",
            "reply_to": ["exchange": "e", "routing_key": "k"],
        ]
        channel.deliver(ControlBody.message(body, headers: ["clock": .int(0)], deliveryMode: 2))
        let message = try #require(channel.replies.last).message
        return try #require(JSON(parsing: message.body)["w1@test"])
    }

    private func task(_ id: String, in seconds: Double) -> InFlightTask {
        InFlightTask(
            phase: .scheduled, id: id, name: "t", displayName: "t", args: Array("[1]".utf8)[...],
            kwargs: Array("{}".utf8)[...], argsRepr: "(1,)", kwargsRepr: "{}",
            eta: Self.now.advanced(bySeconds: seconds), exchange: "",
            routingKey: "q", priority: 0, redelivered: false, isAcknowledged: false)
    }

    private func later(_ ids: [(String, Double)], count: Int? = nil) {
        engine.later = LaterTasks(
            counts: ["q": count ?? ids.count],
            next: ids.map { LaterTasks.Entry(task: task($0.0, in: $0.1), queue: "q", rootID: "root-" + $0.0) })
    }

    @Test("scheduled tells what is held and what waits in the broker, the soonest first, in Celery's form")
    func scheduled() throws {
        engine.inFlightTasks = [task("held", in: 30)]
        later([("far", 5_000), ("near", 500)])
        let reply = try #require(try ask("scheduled").elements)
        #expect(reply.map { $0["request"]?["id"] } == ["held", "near", "far"])
        #expect(Set(reply[2].members?.map(\.key) ?? []) == ["eta", "priority", "request"])
        #expect(reply[2]["eta"]?.text?.isEmpty == false && reply[2]["priority"] == 6)
        #expect(reply[2]["request"]?["args"] == [1])
    }

    @Test("scheduled tells a hundred at most")
    func bounded() throws {
        later((0..<500).map { ("id-\($0)", Double($0) + 100) })
        #expect(try ask("scheduled").elements?.count == 100)
    }

    @Test("query_task finds what waits in the broker; scheduled with ids tells when it is due")
    func query() throws {
        later([("far", 5_000)])
        let reply = try ask("query_task", ["ids": ["far", "nobody"]])
        #expect(reply["far"]?.elements?.first == "scheduled")
        #expect(reply["nobody"] == nil)
        engine.inFlightTasks = [task("held", in: 30)]
        let times = try #require(try ask("scheduled", ["ids": ["far"]]).elements)
        #expect(times.count == 1 && times[0]["eta"]?.text?.isEmpty == false)
    }

    @Test("our own command tells counts by queue, of what is held and of what the broker keeps")
    func counts() throws {
        engine.inFlightTasks = [task("held", in: 30)]
        later([("far", 5_000)], count: 7)
        let reply = try ask("later")
        #expect(reply["held"] == ["q": 1] && reply["broker"] == ["q": 7])
        #expect(reply["next"]?.elements?.map { $0["id"] } == ["held", "far"])
        #expect(try ask("overview")["later"] == ["q": 8])
    }

    @Test("our own command tells that the worker stops")
    func stopping() throws {
        #expect(try ask("overview")["stopping"] == false)
        engine.isStopping = true
        #expect(try ask("overview")["stopping"] == true)
    }

    @Test("ids that an older Celery worker tells as a map are read, in its question and in its answer")
    func olderWorkers() throws {
        _ = try ask("hello", ["from_node": "w56@test", "revoked": ["aaa": [1.5, "aaa"], "bbb": [2.5, "bbb"]]])
        #expect(engine.revokedTaskIDs.sorted() == ["aaa", "bbb"])
        _ = try ask("hello", ["from_node": "w56@test", "revoked": [:]])
        #expect(engine.revokedTaskIDs.sorted() == ["aaa", "bbb"])
        let answer: JSON = ["w56@test": ["revoked": ["ccc": [3.5, "ccc"]], "clock": 4]]
        channel.deliver(
            ControlBody.message(
                answer, headers: ["ticket": .string("hello-w1@test"), "clock": .int(3)], deliveryMode: 1))
        #expect(engine.revokedTaskIDs.sorted() == ["aaa", "bbb", "ccc"])
    }
}
