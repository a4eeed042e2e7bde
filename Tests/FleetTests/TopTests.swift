// The screen of `taskhost top` and its keys, without a terminal.
import Client
import TaskhostJSON
import Testing

@testable import Fleet

@Suite("Top")
struct TopTests {
    private func fleet(
        total: Int64 = 7, queues: [JSON] = [["name": "celery"]], isOurs: Bool = true,
        isStopping: Bool = false
    ) -> FleetStatus {
        let tasks: JSON = [
            [
                "id": "x1", "type": "tasks.add", "name": "tasks.add", "args": ["\u{1B}[2J"], "kwargs": [:],
                "time_start": 1000,
            ]
        ]
        let stats: JSON = [
            "uptime": 60, "pool": ["max-concurrency": 2, "timeouts": [0, 30]], "total": ["a": .int(total)],
        ]
        let overview: JSON = [
            "stopping": .bool(isStopping),
            "queues": [["name": "celery", "paused": false, "started": .int(total * 2)]],
            "tasks": [
                [
                    "id": "x1", "soft_limit": 10, "hard_limit": 40, "memory": 5_400_000, "output": "half \u{1B}[2Jway",
                ]
            ],
        ]
        return FleetStatus([
            "overview": [JSONMember(key: "w@h", value: isOurs ? overview : ["error": "KeyError('overview')"])],
            "stats": [JSONMember(key: "w@h", value: stats)], "active": [JSONMember(key: "w@h", value: tasks)],
            "active_queues": [JSONMember(key: "w@h", value: .array(queues))],
            "reserved": [JSONMember(key: "w@h", value: [])],
        ])
    }

    private var model: TopModel {
        var model = TopModel()
        model.update(fleet(), at: 1010)
        return model
    }

    private func asked(_ reaction: TopModel.Reaction) -> ControlQuestion? {
        if case .tell(let questions) = reaction, questions.count == 1 { questions[0] } else { nil }
    }

    @Test("the screen shows workers, queues with their depth, and tasks against their limit")
    func screen() {
        var model = model
        model.update(depths: ["celery": 41])
        model.update(fleet(total: 9), at: 1011)
        model.update(depths: ["celery": 41])
        let lines = TopScreen.lines(model, columns: 100, rows: 24, at: 1012)
        #expect(lines.count == 24)
        #expect(lines[0].text == "taskhost top   workers 1   busy 1/2   started 2.0/s")
        #expect(lines.contains(TopScreen.Line(text: "celery  41     ?      4.0/s    1", isSelected: true)))
        #expect(
            lines.contains {
                $0.text.hasPrefix("12s  10s/40s  5M      tasks.add(") && $0.text.hasSuffix("x1  w@h")
            })
        #expect(lines.contains(TopScreen.Line(text: "      half \\u{1B}[2Jway")))
        #expect(lines.last?.text.hasPrefix("q quit") == true)
    }

    @Test("a worker that was told to stop is shown as stopping, below its row")
    func stoppingWorker() throws {
        var model = model
        func shown() -> [String] { TopScreen.lines(model, columns: 100, rows: 24, at: 1012).map(\.text) }
        #expect(!shown().contains { $0.contains("stopping") })
        model.update(fleet(isStopping: true), at: 1011)
        let lines = shown()
        let row = try #require(lines.firstIndex { $0.hasPrefix("w@h") })
        #expect(lines[row + 1] == "  stopping: takes nothing more, and ends when what runs is over")
    }

    @Test("a small screen is never overrun and keeps the selection in sight")
    func smallScreen() {
        var model = model
        _ = model.press(.down)
        let lines = TopScreen.lines(model, columns: 20, rows: 4, at: 1012)
        #expect(lines.count == 4 && lines.allSatisfy { $0.text.count <= 20 })
        #expect(lines.contains { $0.isSelected && $0.text.hasPrefix("12s") })
    }

    @Test("what tasks are called with cannot steer the terminal")
    func escapes() {
        let lines = TopScreen.lines(model, columns: 200, rows: 24, at: 1012)
        #expect(!lines.contains { $0.text.unicodeScalars.contains("\u{1B}") })
    }

    @Test("k kills only after y, s stops at once, and only the worker that runs the task is told")
    func stopping() {
        var model = model
        _ = model.press(.down)
        #expect(asked(model.press(.letter("k"))) == nil)
        #expect(asked(model.press(.letter("n"))) == nil)
        #expect(asked(model.press(.letter("y"))) == nil)
        _ = model.press(.letter("k"))
        let killed = asked(model.press(.letter("y")))
        #expect(killed?.destination == ["w@h"])
        #expect(
            JSON.object(killed?.arguments ?? []) == ["task_id": ["x1"], "terminate": true, "signal": "KILL"])
        #expect(JSON.object(asked(model.press(.letter("s")))?.arguments ?? [])["signal"] == "TERM")
    }

    @Test("p pauses the selected queue, and resumes it at the workers that had it")
    func pausing() {
        var model = model
        #expect(asked(model.press(.letter("p")))?.method == "pause_queue")
        model.update(fleet(queues: [["name": "celery", "paused": true]]), at: 1012)
        #expect(TopScreen.lines(model, columns: 80, rows: 24, at: 1012).contains { $0.text.contains("paused") })
        let resumed = asked(model.press(.letter("p")))
        #expect(resumed?.method == "resume_queue" && resumed?.destination == ["w@h"])
    }

    @Test("Celery's workers, which know no pause, leave the queue and come back")
    func leaving() {
        var model = TopModel()
        model.update(fleet(isOurs: false), at: 1010)
        let lines = TopScreen.lines(model, columns: 100, rows: 24, at: 1012)
        #expect(lines.contains { $0.text.hasPrefix("12s  30s    ?       tasks.add(") })
        #expect(asked(model.press(.letter("p")))?.method == "cancel_consumer")
        model.update(fleet(queues: [], isOurs: false), at: 1012)
        #expect(TopScreen.lines(model, columns: 80, rows: 24, at: 1012).contains { $0.text.contains("paused") })
        let resumed = asked(model.press(.letter("p")))
        #expect(resumed?.method == "add_consumer" && resumed?.destination == ["w@h"])
    }

    @Test("the selection follows its row when others come")
    func following() {
        var model = model
        _ = model.press(.down)
        model.update(fleet(queues: [["name": "a"], ["name": "celery"]]), at: 1012)
        #expect(model.rows[model.selection] == .task(node: "w@h", id: "x1"))
    }

    @Test("arrow keys are read in both notations, and control-C quits")
    func keys() {
        let keys = RawTerminal.keys([0x1B, 0x5B, 0x41, 0x1B, 0x4F, 0x42, 3])
        guard keys.count == 3, case .up = keys[0], case .down = keys[1], case .letter("q") = keys[2] else {
            Issue.record("\(keys)")
            return
        }
    }
}
