import Onboarding
import Output
import Ports
import TaskModel
import TaskhostJSON

/// What `taskhost bundles` prints.
enum BundleText {
    static func page(_ reports: [BundleReport]) -> String { reports.map(section).joined(separator: "\n\n") }

    private static func section(_ report: BundleReport) -> String {
        if case .refused(let sentence) = report.status { return "\(report.path)\n  REFUSED: \(sentence)" }
        guard let manifest = report.manifest else { return "\(report.path)\n  \(report.status)" }
        var lines = ["\(manifest.name) \(manifest.version)  \(report.path)", "  built with SDK \(manifest.sdk)"]
        for task in manifest.tasks {
            lines.append("  \(TaskUsage.line(task))")
            let options = TaskUsage.options(task.options)
            if !options.isEmpty { lines.append("      \(options)") }
            if let doc = task.options.doc { lines.append("      \(doc)") }
        }
        for schedule in manifest.schedules {
            let when = schedule.cron ?? "every \((schedule.every ?? 0).plain) s"
            let zone = schedule.timezone.map { " (\($0))" } ?? ""
            lines.append("  schedule \(schedule.name): \(schedule.task), \(when)\(zone)")
        }
        return lines.joined(separator: "\n")
    }

    static func json(_ reports: [BundleReport], options: [any TaskOptionRow] = TaskOptionTable.rows) -> JSON {
        .object([JSONMember(key: "bundles", value: .array(reports.map { json($0, options) }))])
    }

    private static func json(_ report: BundleReport, _ options: [any TaskOptionRow]) -> JSON {
        var members = [JSONMember(key: "path", value: .string(report.path))]
        if case .refused(let sentence) = report.status {
            members.append(JSONMember(key: "status", value: .string("refused")))
            members.append(JSONMember(key: "reason", value: .string(sentence)))
        } else {
            members.append(JSONMember(key: "status", value: .string("active")))
        }
        if let manifest = report.manifest {
            members += [
                JSONMember(key: "name", value: .string(manifest.name)),
                JSONMember(key: "version", value: .string(manifest.version)),
                JSONMember(key: "sdk", value: .string(manifest.sdk)),
                JSONMember(key: "tasks", value: .array(manifest.tasks.map { json($0, options) })),
                JSONMember(key: "schedules", value: .array(manifest.schedules.map(json))),
            ]
        }
        return .object(members)
    }

    private static func json(_ schedule: ScheduleManifest) -> JSON {
        .object([
            JSONMember(key: "name", value: .string(schedule.name)),
            JSONMember(key: "task", value: .string(schedule.task)),
            JSONMember(key: "cron", value: schedule.cron.map(JSON.string) ?? .null),
            JSONMember(key: "every", value: schedule.every.map(JSON.double) ?? .null),
            JSONMember(key: "timezone", value: schedule.timezone.map(JSON.string) ?? .null),
        ])
    }

    /// "*NAME" and "**NAME" take what is left over.
    private static func json(_ parameter: TaskManifest.Parameter) -> JSON {
        var members = [
            JSONMember(key: "name", value: .string(parameter.name)),
            JSONMember(key: "type", value: .string(TaskUsage.typeName(parameter.type))),
            JSONMember(key: "required", value: .bool(parameter.isRequired)),
        ]
        if let value = parameter.defaultValue { members.append(JSONMember(key: "default", value: value)) }
        return .object(members)
    }

    /// As the bundle declares it, whatever the operator says; null: it leaves that to him.
    private static func json(_ task: TaskManifest, _ options: [any TaskOptionRow]) -> JSON {
        var members = [
            JSONMember(key: "name", value: .string(task.name)),
            JSONMember(key: "usage", value: .string(TaskUsage.line(task))),
            JSONMember(key: "parameters", value: .array(task.parameters.map(json))),
            JSONMember(key: "result", value: task.result.map { .string(TaskUsage.typeName($0)) } ?? .null),
        ]
        members += options.map { JSONMember(key: $0.name, value: $0.value(in: task.options)?.json ?? .null) }
        return .object(members)
    }
}
