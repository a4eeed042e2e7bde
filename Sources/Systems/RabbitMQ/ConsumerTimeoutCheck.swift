// Hard limits of tasks against the time that RabbitMQ lets a message be held. Pure.
import Ports
import TaskModel

struct ConsumerTimeoutCheck {
    let limits: [TaskTimeLimit]

    /// Tasks that may hold their message for longer than a minute less than that, by their hard limit.
    private func beyond(_ seconds: Double) -> [TaskTimeLimit] {
        limits.filter { $0.seconds.map { $0 > seconds - 60 } ?? false }
    }

    /// For the log of a worker; nil: nothing is wrong.
    func warningAtStart(_ timeout: Double) -> String? {
        let long = beyond(timeout)
        guard !long.isEmpty else { return nil }
        return "the hard limits of \(Self.names(long)) reach RabbitMQ's consumer_timeout (\(timeout.plain) s): what "
            + "runs so long is delivered again. Set time_limit at least a minute below it, or raise consumer_timeout "
            + "in rabbitmq.conf and in [broker]; classic queues of RabbitMQ 4.3 have none (consumer_timeout = 0)"
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
        let long = beyond(timeout)
        let endless = limits.filter { $0.seconds == nil }
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

    private static func names(_ limits: [TaskTimeLimit]) -> String { Finding.list(limits.map(\.task).sorted()) }
}
