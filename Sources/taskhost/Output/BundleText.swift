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
            let limits = TaskUsage.limits(task.options)
            if !limits.isEmpty { lines.append("      \(limits)") }
            if let doc = task.options.doc { lines.append("      \(doc)") }
        }
        for schedule in manifest.schedules {
            let when = schedule.cron ?? "every \((schedule.every ?? 0).plain) s"
            let zone = schedule.timezone.map { " (\($0))" } ?? ""
            lines.append("  schedule \(schedule.name): \(schedule.task), \(when)\(zone)")
        }
        return lines.joined(separator: "\n")
    }

    static func json(_ reports: [BundleReport]) -> JSON {
        .object([JSONMember(key: "bundles", value: .array(reports.map(json)))])
    }

    private static func json(_ report: BundleReport) -> JSON {
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
                JSONMember(key: "tasks", value: .array(manifest.tasks.map(json))),
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

    private static func json(_ task: TaskManifest) -> JSON {
        func seconds(_ value: Double?) -> JSON { value.map(JSON.double) ?? .null }
        return .object([
            JSONMember(key: "name", value: .string(task.name)),
            JSONMember(key: "usage", value: .string(TaskUsage.line(task))),
            JSONMember(key: "soft_limit", value: seconds(task.options.softLimit)),
            JSONMember(key: "hard_limit", value: seconds(task.options.hardLimit)),
            JSONMember(key: "keep", value: task.options.keep.map { .int(Int64($0)) } ?? .null),
            JSONMember(key: "queue", value: task.options.queue.map(JSON.string) ?? .null),
            JSONMember(key: "doc", value: task.options.doc.map(JSON.string) ?? .null),
        ])
    }
}
