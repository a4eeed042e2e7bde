// The fleet as a table.
import Foundation

enum FleetText {
    /// - Parameter now: Unix time.
    static func lines(_ fleet: FleetStatus, at now: Double) -> [String] {
        var rows = [["NODE", "VERSION", "UP", "BUSY", "WAITING", "STARTED", "QUEUES"]]
        for node in fleet.nodes { rows.append(row(node)) }
        var lines = table(rows)
        for (index, node) in fleet.nodes.enumerated().reversed() {
            lines.insert(contentsOf: node.running.map { "  " + task($0, at: now) }, at: index + 2)
        }
        return lines
    }

    static func task(_ task: FleetStatus.Running, at now: Double) -> String {
        let age = task.age(at: now).map(age) ?? "?"
        return "\(age.padded(to: 7)) \(task.call)  \(task.id)" + (task.pid.map { "  pid \($0)" } ?? "")
    }

    private static func row(_ node: FleetStatus.Node) -> [String] {
        [
            node.name, node.version.isEmpty ? "?" : node.version, node.uptime.map(age) ?? "?",
            "\(node.running.count)/\(node.slots.map(String.init) ?? "?")", node.waiting.map(String.init) ?? "?",
            String(node.total), node.queueList,
        ]
    }

    static func table(_ rows: [[String]]) -> [String] {
        let columns = rows.first?.count ?? 0
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).map { $0.padded(to: $1) }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    /// "0.4s", "12s", "5m 07s", "3h 12m", "4d 2h".
    static func age(_ seconds: Double) -> String {
        if seconds < 10 { return String(format: "%.1fs", seconds) }
        let whole = Int(min(seconds, 1e12))
        switch whole {
        case ..<60: return "\(whole)s"
        case ..<3600: return "\(whole / 60)m " + String(format: "%02ds", whole % 60)
        case ..<86400: return "\(whole / 3600)h \(whole % 3600 / 60)m"
        default: return "\(whole / 86400)d \(whole % 86400 / 3600)h"
        }
    }
}
