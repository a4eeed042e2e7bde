import Glibc
import Output
import TaskModel
import TaskhostJSON

/// Shows a task's states while somebody waits: a bar that redraws itself on a terminal, plain lines elsewhere.
struct ProgressView {
    let isTerminal: Bool
    let columns: Int
    private var shown = ""

    init(descriptor: Int32 = STDERR_FILENO) {
        isTerminal = isatty(descriptor) == 1
        var size = winsize()
        columns = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    init(isTerminal: Bool, columns: Int) {
        self.isTerminal = isTerminal
        self.columns = columns
    }

    /// What to write for this state; nil: nothing new.
    mutating func text(state: String, meta: JSON) -> String? {
        let barColumns = isTerminal ? max(10, min(40, columns - 40)) : 0
        let line = Printable.line(Self.line(state: state, meta: meta, barColumns: barColumns))
        guard line != shown else { return nil }
        shown = line
        return isTerminal ? "\r\u{1B}[K" + line.prefix(columns - 1) : line + "\n"
    }

    /// Takes the bar away again, before the result is printed.
    mutating func end() -> String? {
        guard isTerminal, !shown.isEmpty else { return nil }
        shown = ""
        return "\r\u{1B}[K"
    }

    /// `PROGRESS` metas carry `done` and `total`, and what else the task wants to say.
    static func line(state: String, meta: JSON, barColumns: Int) -> String {
        guard let done = meta["done"]?.number, let total = meta["total"]?.number, total > 0, done.isFinite,
            total.isFinite
        else { return meta.isNull ? state : "\(state) \(Console.text(meta))" }
        let part = max(0, min(1, done / total))
        var line = "\(done.plain)/\(total.plain) \(Int(part * 100))%"
        if barColumns > 0 {
            let filled = Int((part * Double(barColumns)).rounded())
            let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: barColumns - filled)
            line = bar + " " + line
        } else {
            line = state + " " + line
        }
        for member in meta.members ?? [] where member.key != "done" && member.key != "total" {
            line += " \(member.key)=\(Console.plain(member.value))"
        }
        return line
    }
}
