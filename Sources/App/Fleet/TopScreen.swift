// The screen of `taskhost top`, as lines. Pure.
import Linux
import Output

enum TopScreen {
    struct Line: Equatable {
        var text: String
        var isSelected = false
    }

    /// Exactly as many lines as the screen has, none wider than it.
    static func lines(_ model: TopModel, columns: Int, rows: Int, at now: Double) -> [Line] {
        let busy = model.fleet.nodes.reduce(0) { $0 + $1.running.count }
        let slots = model.fleet.nodes.compactMap(\.slots).saturatedSum
        let rate = model.rate.map { $0.text(decimals: 1) + "/s" } ?? "?"
        var lines = [
            Line(text: "taskhost top   workers \(model.fleet.nodes.count)   busy \(busy)/\(slots)   started \(rate)"),
            Line(text: ""),
        ]
        lines += nodes(model)
        lines.append(Line(text: ""))
        lines += selectable(model, at: now)
        let height = max(2, rows)
        let footer = Line(text: model.note.isEmpty ? "q quit  ↑↓ select  p pause/resume  s TERM  k KILL" : model.note)
        let body = window(lines, height: height - 1)
        let filled = body + Array(repeating: Line(text: ""), count: height - 1 - body.count) + [footer]
        return filled.map { Line(text: String(Printable.line($0.text).prefix(columns)), isSelected: $0.isSelected) }
    }

    private static func nodes(_ model: TopModel) -> [Line] {
        var table = [["NODE", "UP", "BUSY", "WAITING", "STARTED", "QUEUES"]]
        for node in model.fleet.nodes {
            table.append([
                node.name, node.uptime.map(DurationText.age) ?? "?",
                "\(node.running.count)/\(node.slots.map(String.init) ?? "?")", node.waiting.map(String.init) ?? "?",
                String(node.total), node.queueList,
            ])
        }
        var lines = TextTable.lines(table)
        for (index, node) in model.fleet.nodes.enumerated().reversed() {
            lines.insert(contentsOf: FleetText.ending(node), at: index + 2)
        }
        return lines.map { Line(text: $0) }
    }

    private static func selectable(_ model: TopModel, at now: Double) -> [Line] {
        var queues = [["QUEUE", "READY", "LATER", "STARTED", "CONSUMERS"]]
        for queue in model.queues {
            let rate = queue.rate.map { $0.text(decimals: 1) + "/s" } ?? "?"
            queues.append([
                queue.name, queue.depth.map(String.init) ?? "?", queue.later.map(String.init) ?? "?", rate,
                consumers(of: queue),
            ])
        }
        var tasks = [["AGE", "LIMIT", "MEMORY", "TASK", "ID", "NODE"]]
        var outputs: [String?] = []
        for node in model.fleet.nodes {
            for task in node.running {
                tasks.append([
                    task.age(at: now).map(DurationText.age) ?? "?", limit(of: task, on: node),
                    task.details?.memory.map(bytes) ?? "?", short(task.call), task.id, node.name,
                ])
                outputs.append(task.details?.output)
            }
        }
        var lines = TextTable.lines(queues).map { Line(text: $0) }
        for index in model.queues.indices { lines[index + 1].isSelected = index == model.selection }
        lines.append(Line(text: ""))
        for (index, text) in TextTable.lines(tasks).enumerated() {
            lines.append(Line(text: text, isSelected: index > 0 && model.queues.count + index - 1 == model.selection))
            // Below its task: beside it there would be no room left.
            if index > 0, let output = outputs[index - 1] { lines.append(Line(text: "      " + output)) }
        }
        return lines
    }

    private static func consumers(of queue: TopModel.Queue) -> String {
        if queue.isPaused { return "paused" }
        let count = String(queue.nodes.count)
        return queue.pausedAt.isEmpty ? count : "\(count), \(queue.pausedAt.count) paused"
    }

    /// "10s/30s": soft and hard. Of Celery's workers the worker's own hard limit is all that is known.
    private static func limit(of task: FleetStatus.Running, on node: FleetStatus.Node) -> String {
        guard let details = task.details else { return node.limit.map(DurationText.age) ?? "-" }
        let hard = details.hardLimit.map(DurationText.age) ?? "-"
        return details.softLimit.map { DurationText.age($0) + "/" + hard } ?? hard
    }

    private static func bytes(_ count: Int64) -> String {
        let gibibytes = Double(count) / Double(1 << 30)
        return gibibytes < 1 ? "\(count >> 20)M" : gibibytes.text(decimals: 1) + "G"
    }

    private static func short(_ call: String) -> String { call.count > 40 ? call.prefix(39) + "…" : call }

    /// What is selected stays in sight.
    private static func window(_ lines: [Line], height: Int) -> [Line] {
        guard lines.count > height else { return lines }
        let selected = lines.firstIndex(where: \.isSelected) ?? 0
        let first = max(0, min(selected - height + 1, lines.count - height))
        return Array(lines[first..<first + height])
    }
}
