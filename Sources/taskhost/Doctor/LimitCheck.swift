// Hard limits of tasks against the time a broker lets a message be held; limits that need a place to be shared. Pure.
import Engine
import Ports
import TaskModel

struct LimitCheck {
    let configuration: Configuration
    let tasks: [TaskManifest]

    /// Hard limits in seconds, by task; 0 or nil: none.
    private func hardLimit(_ task: TaskManifest) -> Double? {
        let limit = configuration.tasks[task.name]?.hardLimit ?? task.options.hardLimit ?? configuration.timeLimit
        return limit.flatMap { $0 > 0 ? $0 : nil }
    }

    /// Tasks that no worker would run, as all workers together are to limit them and have no place for it.
    func scopes() -> [Finding] {
        guard configuration.sharedLimits == .none else { return [] }
        let stuck = tasks.filter(configuration.engineOptions().limitsGlobally)
        guard !stuck.isEmpty else { return [] }
        return [
            .fail(
                "limits",
                "limit_scope is \"global\", and there is no place that all workers share: never run are "
                    + Self.names(stuck),
                fix: "set shared_limits.url to a redis:// or sqlite: address, or their limit_scope to \"worker\"")
        ]
    }

    /// What queues say themselves; the broker's own setting is checked for the others.
    func findings(queues: [String: Double]) -> [Finding] {
        queues.sorted { $0.key < $1.key }.flatMap { queue, seconds in
            findings(consumerTimeout: seconds, isKnown: true).map { finding in
                var finding = finding
                finding.subject = "limits of \(queue)"
                return finding
            }
        }
    }

    /// - Parameters:
    ///   - timeout: seconds that RabbitMQ waits for an acknowledgement; nil: for ever.
    ///   - isKnown: the broker said so; else it is its default.
    func findings(consumerTimeout timeout: Double?, isKnown: Bool) -> [Finding] {
        guard let timeout else { return [.ok("limits", "the broker waits for ever: consumer_timeout is switched off")] }
        let says = "consumer_timeout (\(timeout.plain) s\(isKnown ? "" : ", if it is the default"))"
        let raise = "set time_limit at least a minute below, or raise consumer_timeout in rabbitmq.conf"
        let long = tasks.filter { hardLimit($0).map { $0 > timeout - 60 } ?? false }
        let endless = tasks.filter { hardLimit($0) == nil }
        var findings: [Finding] = []
        if !long.isEmpty {
            let what = "hard limits reach the broker's \(says): a task that runs so long is delivered again: "
            let detail = what + Self.names(long)
            findings.append(isKnown ? .fail("limits", detail, fix: raise) : .warn("limits", detail, fix: raise))
        }
        if !endless.isEmpty {
            findings.append(
                .warn(
                    "limits",
                    "no hard limit: a task that runs longer than the broker's \(says) is delivered again: "
                        + Self.names(endless), fix: raise))
        }
        if findings.isEmpty { findings.append(.ok("limits", "hard limits are below the broker's \(says)")) }
        return findings
    }

    static func names(_ tasks: [TaskManifest]) -> String {
        let names = tasks.map(\.name).sorted()
        return names.prefix(4).joined(separator: ", ") + (names.count > 4 ? " and \(names.count - 4) more" : "")
    }
}
