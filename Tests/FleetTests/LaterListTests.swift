// What commands say of tasks that are due later, and of tasks that nobody takes.
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import Fleet

@Suite("Telling what is due later, and what is wrong")
struct LaterListTests {
    private let now = WallTime(secondsSince1970: 1_800_000_000)

    private func worker(_ name: String, held: JSON, broker: JSON, _ next: [(String, String)]) -> JSONMember {
        JSONMember(
            key: name,
            value: [
                "held": held, "broker": broker,
                "next": .array(
                    next.map {
                        [
                            "id": .string($0.0), "name": "t", "queue": "q", "eta": .string($0.1), "args": "(1,)",
                            "kwargs": "{}",
                        ]
                    }),
            ])
    }

    private func message(_ id: String, in seconds: Double) -> ScheduledMessage {
        ScheduledMessage(
            due: now.advanced(bySeconds: seconds), queue: "q",
            message: WireMessage(headers: ["id": .string(id), "task": .string("t")], body: []))
    }

    @Test("a broker that tells queues apart is believed; what workers hold is added, each task listed once")
    func exact() {
        let replies = [
            worker(
                "a@h", held: ["q": 1], broker: ["q": 2],
                [("held", "2027-01-15T08:00:30+00:00"), ("far", "2027-01-15T10:00:00+00:00")])
        ]
        let list = LaterList(
            queues: ["q", "r"], replies: replies,
            broker: ScheduledMessages(counts: ["q": 2], next: [message("far", in: 7_200), message("near", in: 100)]),
            limit: 10)
        #expect(list.counts == ["q": 3, "r": 0] && list.elsewhere == 0)
        #expect(list.next.map(\.id) == ["held", "near", "far"])
        #expect(list.lines(at: now).first == "QUEUE  LATER")
        #expect(list.lines(at: now).contains { $0.contains("2h 0m") && $0.hasSuffix("far   q") })
    }

    @Test("where it cannot, workers' own counts are added up, and the rest of the ladder is told without a queue")
    func ladder() {
        let replies = [
            worker("a@h", held: [:], broker: ["q": 2], [("one", "2027-01-15T09:00:00+00:00")]),
            worker("b@h", held: [:], broker: ["q": 1], [("two", "2027-01-15T08:30:00+00:00")]),
        ]
        let list = LaterList(queues: ["q"], replies: replies, broker: ScheduledMessages(inAllQueues: 5), limit: 1)
        #expect(list.counts == ["q": 3] && list.elsewhere == 2)
        #expect(list.next.map(\.id) == ["two"])
        #expect(list.lines(at: now).contains { $0.hasPrefix("and 2 more in the broker's delay queues") })
    }

    @Test("where a task is, is told with its time")
    func place() throws {
        let places = [JSONMember(key: "w@h", value: ["x": ["scheduled", ["id": "x"]]])]
        let times = [JSONMember(key: "w@h", value: [["eta": "2027-01-15T08:10:00+00:00", "request": ["id": "x"]]])]
        let place = try #require(TaskPlace("x", places: places, times: times))
        #expect(place.text(at: now) == "due 2027-01-15T08:10:00+00:00, in 10m 00s (w@h)")
        #expect(TaskPlace("y", places: places, times: times) == nil)
        let runs = TaskPlace("x", places: [JSONMember(key: "w@h", value: ["x": ["active", [:]]])], times: [])
        #expect(runs?.text(at: now) == "runs (w@h)")
    }

    @Test("a call is told that nobody takes it: no worker, no consumer of its queue, no such task there")
    func nobody() {
        let queues = [JSONMember(key: "w@h", value: [["name": "urgent"], ["name": "normal"]])]
        let tasks = [JSONMember(key: "w@h", value: ["tasks.add", "tasks.scale [rate_limit=1/m]"])]
        func sentences(_ task: String, _ queue: String) -> [String] {
            CallCheck.sentences(task: task, queue: queue, queues: queues, registered: tasks)
        }
        #expect(sentences("tasks.add", "urgent").isEmpty && sentences("tasks.scale", "normal").isEmpty)
        #expect(sentences("celery.map", "urgent").isEmpty)
        #expect(
            sentences("tasks.add", "celery").first?.contains(
                "no worker consumes queue 'celery' (consumed: normal, urgent)") == true)
        #expect(
            sentences("tasks.addd", "urgent") == [
                "taskhost: no worker of queue 'urgent' has registered 'tasks.addd'; did you mean 'tasks.add'?"
            ])
        #expect(sentences("add", "urgent").first?.hasSuffix("did you mean 'tasks.add'?") == true)
        #expect(
            CallCheck.sentences(task: "t", queue: "q", queues: [], registered: []).first?.contains("no worker replies")
                == true)
    }
}
