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

    /// As the bundle declares it, whatever the operator says; null: it leaves that to him.
    private static func json(_ task: TaskManifest) -> JSON {
        let options = task.options
        func number(_ value: Double?) -> JSON { value.map(JSON.double) ?? .null }
        func count(_ value: Int?) -> JSON { value.map { .int(Int64($0)) } ?? .null }
        func flag(_ value: Bool?) -> JSON { value.map(JSON.bool) ?? .null }
        func text(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }
        let retries: JSON =
            switch options.maxRetries {
            case .atMost(let most)?: count(most)
            case .unlimited?: "unlimited"
            case nil: .null
            }
        return [
            "name": .string(task.name), "usage": .string(TaskUsage.line(task)),
            "soft_limit": number(options.softLimit), "hard_limit": number(options.hardLimit),
            "memory_limit": count(options.memoryLimit), "max_retries": retries,
            "retry_delay": number(options.retryDelay), "retry_backoff": number(options.retryBackoff),
            "retry_backoff_max": number(options.retryBackoffMax), "retry_jitter": flag(options.retryJitter),
            "autoretry": flag(options.autoretry), "max_starts": count(options.maxStarts),
            "rate_limit": text(options.rateLimit), "max_concurrent": count(options.maxConcurrent),
            "limit_scope": text(options.limitScope?.rawValue), "limit_key": text(options.limitKey),
            "keep": count(options.keep), "acks_late": flag(options.acksLate),
            "acks_on_failure": flag(options.acksOnFailure), "acks_on_timeout": flag(options.acksOnTimeout),
            "reject_on_worker_lost": flag(options.rejectOnWorkerLost), "track_started": flag(options.trackStarted),
            "ignore_result": flag(options.ignoreResult), "takes_failure": flag(options.takesFailure),
            "queue": text(options.queue), "doc": text(options.doc),
        ]
    }
}
