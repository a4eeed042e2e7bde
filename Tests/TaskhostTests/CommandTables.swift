// The tables of docs/remote-control.md, made from the table of commands.
import Control

struct CommandTables {
    private let table: CommandTable

    init(_ table: CommandTable = .all) { self.table = table }

    /// "`time_limit TASK_NAME SOFT [HARD]` | soft and hard …" of what stands below a heading: `inspect`, `control`, or
    /// what workers say to each other.
    func rows(_ heading: String) -> [String] {
        table.commands.filter { ($0.isVisible ? $0.verb.rawValue : "workers") == heading }.map { command in
            let older = command.aliases.map { " (older name: `\($0)`)" }.joined()
            return "| `\(command.usage)` | \(command.summary)\(older) |"
        }
    }

    /// The document with the rows below `### … `HEADING`` replaced.
    func filled(_ document: String) -> String {
        var heading: String?
        var lines: [String] = []
        for line in document.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("#") { heading = nil }
            if line.hasPrefix("### Commands of `") { heading = String(line.dropFirst(17).prefix { $0 != "`" }) }
            guard let heading, line.hasPrefix("|") else {
                lines.append(line)
                continue
            }
            if line.hasPrefix("|---") { lines += [line] + rows(heading) }
            if line.hasPrefix("| |") { lines.append(line) }
        }
        return lines.joined(separator: "\n")
    }
}
