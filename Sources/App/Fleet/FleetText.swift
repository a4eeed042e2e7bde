// The fleet as a table.
import Output

package enum FleetText {
    /// - Parameter now: Unix time.
    package static func lines(_ fleet: FleetStatus, at now: Double) -> [String] {
        var rows = [["NODE", "VERSION", "UP", "BUSY", "WAITING", "LATER", "STARTED", "QUEUES"]]
        for node in fleet.nodes { rows.append(row(node)) }
        var lines = TextTable.lines(rows)
        for (index, node) in fleet.nodes.enumerated().reversed() {
            let notes = ending(node) + owed(node) + node.trials.map { "  " + Printable.line($0) }
            lines.insert(contentsOf: notes + node.running.map { "  " + task($0, at: now) }, at: index + 2)
        }
        return lines
    }

    /// A line for a worker that was told to stop.
    static func ending(_ node: FleetStatus.Node) -> [String] {
        node.isStopping ? ["  stopping: takes nothing more, and ends when what runs is over"] : []
    }

    private static func owed(_ node: FleetStatus.Node) -> [String] {
        guard node.owed > 0 else { return [] }
        let end = node.owesTooMuch ? "; it takes no more until they are" : ""
        return ["  \(node.owed) ended tasks wait to be recorded\(end): \(Printable.line(node.owedBecause))"]
    }

    static func task(_ task: FleetStatus.Running, at now: Double) -> String {
        let age = task.age(at: now).map(DurationText.age) ?? "?"
        return "\(age.padded(to: 7)) \(Printable.line(task.call))  \(Printable.line(task.id))"
            + (task.pid.map { "  pid \($0)" } ?? "")
    }

    private static func row(_ node: FleetStatus.Node) -> [String] {
        [
            node.name, node.version.isEmpty ? "?" : node.version, node.uptime.map(DurationText.age) ?? "?",
            "\(node.running.count)/\(node.slots.map(String.init) ?? "?")", node.waiting.map(String.init) ?? "?",
            node.later.map { $0 < 100 ? String($0) : "100+" } ?? "?", String(node.total), node.queueList,
        ]
    }
}
