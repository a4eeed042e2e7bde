// What people are shown.
import Settings
import TaskModel
import TaskhostJSON
import Testing

@testable import taskhost

@Suite("What commands print")
struct ResultTextTests {
    private let meta = JSON.object([
        JSONMember(key: "done", value: .int(1)), JSONMember(key: "total", value: .int(4)),
        JSONMember(key: "operation", value: .string("blur")),
    ])

    @Test("progress is a bar on a terminal and a line elsewhere")
    func progress() {
        #expect(
            ProgressView.line(state: "PROGRESS", meta: meta, barColumns: 8) == "██░░░░░░ 1/4 25% operation=blur")
        #expect(ProgressView.line(state: "PROGRESS", meta: meta, barColumns: 0) == "PROGRESS 1/4 25% operation=blur")
    }

    @Test("a state that is no progress is shown as it is")
    func otherStates() {
        #expect(ProgressView.line(state: "STARTED", meta: .null, barColumns: 8) == "STARTED")
        let odd = JSON.object([JSONMember(key: "total", value: .int(0)), JSONMember(key: "done", value: .int(0))])
        #expect(ProgressView.line(state: "X", meta: odd, barColumns: 8) == "X {\"total\":0,\"done\":0}")
    }

    @Test("the same state is not written twice")
    func repetition() {
        var view = ProgressView(isTerminal: false, columns: 80)
        #expect(view.text(state: "PROGRESS", meta: meta) != nil)
        #expect(view.text(state: "PROGRESS", meta: meta) == nil)
        #expect(view.end() == nil)
    }

    @Test("a terminal's bar is taken away at the end")
    func barEnds() {
        var view = ProgressView(isTerminal: true, columns: 80)
        #expect(view.text(state: "PROGRESS", meta: meta)?.hasPrefix("\r") == true)
        #expect(view.end() == "\r\u{1B}[K")
    }

    @Test("a task is shown as one would call it")
    func usage() {
        let task = TaskManifest(
            index: 0, name: "tasks.add",
            parameters: [.init(name: "x", type: "f64"), .init(name: "y", type: "f64", defaultJSON: "0.5")],
            result: "f64", options: TaskOptions())
        #expect(TaskUsage.line(task) == "tasks.add(x: f64, y: f64 = 0.5) -> f64")
    }

    @Test("options are told by their names, and nothing when there are none")
    func options() {
        var options = TaskOptions()
        #expect(TaskUsage.options(options).isEmpty)
        options.autoretryFor = FailureNames(["A", "B"])
        options.softLimit = 1
        options.hardLimit = 2.5
        options.maxRetries = .atMost(3)
        #expect(
            TaskUsage.options(options)
                == "soft_limit = 1, hard_limit = 2.5, max_retries = 3, autoretry_for = [A, B]")
    }

    @Test("passwords are hidden in addresses")
    func secrets() {
        #expect(ConnectionURL.redacted("amqp://user:geheim@host:5672//") == "amqp://user:***@host:5672//")
        #expect(ConnectionURL.redacted("redis://:geheim@host/0") == "redis://:***@host/0")
        #expect(ConnectionURL.redacted("amqp://host:5672//") == "amqp://host:5672//")
    }

    @Test("the nearest name is found, and none for a stranger")
    func nearest() {
        #expect(NearestName.of("concurency", among: ["concurrency", "queues"]) == "concurrency")
        #expect(NearestName.of("quuees", among: ["concurrency", "queues"]) == "queues")
        #expect(NearestName.of("xyzzy", among: ["concurrency", "queues"]) == nil)
    }
}
