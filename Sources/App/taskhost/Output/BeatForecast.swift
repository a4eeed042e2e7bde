// `taskhost beat next`: coming runs in words.
import Beat
import Configuration
import Output
import Settings
import TaskModel
import TaskhostJSON

/// Runs after a given time: the next of each schedule, then those that follow, each part in order. Intervals are shown as
/// if they began now: from when they count is the leader's to know.
struct BeatForecast {
    private let tasks: [ScheduledTask]
    private let start: WallTime

    init(_ tasks: [ScheduledTask], from start: WallTime) {
        self.tasks = tasks
        self.start = start
    }

    typealias Run = (time: WallTime, task: ScheduledTask)

    /// One of each schedule, however many are asked for: a quick one would hide the others.
    func first() -> [Run] {
        tasks.compactMap { task in task.entry.schedule.next(after: start).map { ($0, task) } }
            .sorted { ($0.time, $0.task.entry.name) < ($1.time, $1.task.entry.name) }
    }

    /// Those after the first of each schedule.
    func following(_ count: Int) -> [Run] {
        var next = tasks.map { task in
            task.entry.schedule.next(after: start).flatMap { task.entry.schedule.next(after: $0) }
        }
        var found: [Run] = []
        while found.count < count {
            let coming = next.indices.filter { next[$0] != nil }
            guard let index = coming.min(by: { (next[$0] ?? start) < (next[$1] ?? start) }), let time = next[index]
            else { break }
            found.append((time, tasks[index]))
            next[index] = tasks[index].entry.schedule.next(after: time)
        }
        return found
    }

    func lines(_ count: Int, asJSON: Bool) -> [String] {
        let first = first()
        let following = following(max(0, count - first.count))
        let runs = first + following
        guard !asJSON else { return runs.map { Console.text(Self.json($0.time, $0.task)) } }
        let rows = runs.map { run in
            [
                run.task.entry.schedule.clock.text(run.time), "in \(Self.words(run.time.seconds(since: start)))",
                run.task.entry.name, run.task.task, run.task.text,
            ]
        }
        let widths = (0..<5).map { column in rows.map { $0[column].count }.max() ?? 0 }
        var lines = rows.map { row in
            zip(row, widths).map { text, width in
                text + String(repeating: " ", count: max(0, width - text.count))
            }.joined(separator: "  ").trimmed
        }
        if first.count > 1, !following.isEmpty { lines.insert("", at: first.count) }
        return lines
    }

    private static func json(_ time: WallTime, _ task: ScheduledTask) -> JSON {
        .object([
            JSONMember(key: "time", value: .string(task.entry.schedule.clock.iso8601(time))),
            JSONMember(key: "schedule", value: .string(task.entry.name)),
            JSONMember(key: "task", value: .string(task.task)), JSONMember(key: "when", value: .string(task.text)),
            JSONMember(key: "id", value: .string(DueRun(name: task.entry.name, time: time).taskID)),
        ])
    }

    /// The two largest units: "3 d 4 h", "5 min 10 s", "2 s".
    static func words(_ seconds: Double) -> String {
        let whole = Int(max(0, seconds).rounded(.up))
        let units = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")]
        var rest = whole
        var parts: [String] = []
        for (size, name) in units {
            if rest >= size { parts.append("\(rest / size) \(name)") } else if !parts.isEmpty { break }
            rest %= size
            if parts.count == 2 { break }
        }
        return parts.isEmpty ? "0 s" : parts.joined(separator: " ")
    }
}
