import CeleryWire
import Output
import Ports
import TaskModel
import TaskhostJSON

/// Dead letters in words and as JSON.
enum DeadText {
    static func line(_ letter: DeadLetter, _ report: DeadReport?) -> String {
        let time = report?.at.map(ISO8601.format).map { String($0.prefix(19)) } ?? "-"
        return [
            letter.id, time, task(letter, report), report?.verdict ?? "unknown",
            report?.reason ?? "no taskhost-dead header",
        ].map(Printable.line).joined(separator: "  ")
    }

    static func page(_ letter: DeadLetter, _ report: DeadReport?) -> String {
        var lines = ["id         \(letter.id)", "task       \(task(letter, report))"]
        guard let report else {
            lines.append("reason     unknown: it has no taskhost-dead header")
            return lines.map(Printable.line).joined(separator: "\n")
        }
        lines.append("arguments  \(report.argsRepr ?? "?") \(report.kwargsRepr ?? "")")
        lines.append("queue      \(report.queue)")
        if let at = report.at { lines.append("at         \(ISO8601.format(at))") }
        lines.append("verdict    \(report.verdict), after \(report.starts) starts")
        lines.append("reason     \(report.reason)")
        if let cause = report.crashCause {
            lines.append("crash      \(cause)" + (report.crashAddress.map { " at \($0)" } ?? ""))
            lines += report.stack.map { "  \($0)" }
        }
        if !report.output.isEmpty {
            lines.append("last output:")
            lines += report.output.split(separator: "\n", omittingEmptySubsequences: false).map { "  | \($0)" }
        }
        return lines.map(Printable.line).joined(separator: "\n")
    }

    static func summary(_ letter: DeadLetter, _ report: DeadReport?) -> JSON {
        .object([
            JSONMember(key: "id", value: .string(letter.id)),
            JSONMember(key: "task", value: report?.taskName.map(JSON.string) ?? .null),
            JSONMember(key: "queue", value: .string(letter.queue)),
            JSONMember(key: "at", value: report?.at.map { .string(ISO8601.format($0)) } ?? .null),
            JSONMember(key: "verdict", value: report.map { .string($0.verdict) } ?? .null),
            JSONMember(key: "reason", value: report.map { .string($0.reason) } ?? .null),
            JSONMember(key: "starts", value: report.map { .int(Int64($0.starts)) } ?? .null),
        ])
    }

    static func full(_ letter: DeadLetter, _ report: DeadReport?) -> JSON {
        guard case .object(var members) = summary(letter, report) else { return .null }
        func text(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }
        members += [
            JSONMember(key: "args", value: text(report?.argsRepr)),
            JSONMember(key: "kwargs", value: text(report?.kwargsRepr)),
            JSONMember(key: "crash", value: text(report?.crashCause)),
            JSONMember(key: "address", value: text(report?.crashAddress)),
            JSONMember(key: "stack", value: .array((report?.stack ?? []).map(JSON.string))),
            JSONMember(key: "output", value: text(report?.output)),
        ]
        return .object(members)
    }

    private static func task(_ letter: DeadLetter, _ report: DeadReport?) -> String {
        report?.taskName ?? letter.message.headers["task"]?.text ?? "?"
    }
}
