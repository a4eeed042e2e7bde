// What doctor makes of queues: against what we would declare, and against losing messages silently. Pure.
import Ports
import TaskModel

struct QueueCheck {
    let question: ExaminationQuestion
    let examination: RabbitMQExamination
    /// nil: they are unknown.
    let policies: [String: RabbitMQPolicy]?

    private func declaration(of queue: String) -> QueueDeclaration {
        question.queues.first { $0.name == queue } ?? QueueDeclaration(name: queue)
    }

    func findings() -> [Finding] { examination.queues.flatMap(findings) }

    /// Those in which a message may not be held for ever.
    var timedQueues: [String] {
        examination.queues.filter { queue in
            let seen = queue.found.map { $0.isQuorum ? QueueDeclaration.Kind.quorum : .classic }
            let kind = seen ?? declaration(of: queue.name).kind ?? .classic
            return examination.version.hasConsumerTimeout(kind)
        }.map(\.name)
    }

    /// Seconds that a queue of its own says a message may be held, by queue.
    var consumerTimeouts: [String: Double] {
        var timeouts: [String: Double] = [:]
        for queue in examination.queues {
            if let seconds = policies?[queue.name]?.consumerTimeout { timeouts[queue.name] = seconds }
            if case .int(let milliseconds)? = queue.found?.arguments["x-consumer-timeout"] {
                timeouts[queue.name] = min(Double(milliseconds) / 1000, timeouts[queue.name] ?? .infinity)
            }
        }
        let timed = Set(timedQueues)
        return timeouts.filter { timed.contains($0.key) }
    }

    private func findings(_ queue: RabbitMQExamination.Queue) -> [Finding] {
        let subject = "queue \(queue.name)"
        if let refusal = queue.refusal { return [.fail(subject, refusal.detail, fix: refusal.fix)] }
        guard let found = queue.found else {
            return missing(declaration(of: queue.name))
        }
        if found.kind == "stream" {
            return [
                .fail(
                    subject, "is a stream: tasks stay in it, and each worker would run all of them",
                    fix: "use a classic or quorum queue for tasks")
            ]
        }
        var findings = durability(queue.name, found) + difference(queue.name, found) + deaths(queue.name, found)
        findings += priorities(queue.name, found) + policy(queue.name, found)
        if !findings.contains(where: { $0.level == .warn || $0.level == .fail }) {
            findings.insert(.ok(subject, "\(found.kind) queue"), at: 0)
        }
        return findings
    }

    private func missing(_ wanted: QueueDeclaration) -> [Finding] {
        let subject = "queue \(wanted.name)"
        let kind =
            wanted.kind.map { "as \($0.rawValue)" }
            ?? "of the virtual host's default type (classic, unless its default_queue_type says otherwise)"
        let declared = Finding.ok(subject, "is not there yet; the worker will declare it \(kind)")
        guard wanted.kind == .quorum, wanted.maxPriority != nil else { return [declared] }
        return [declared] + quorumPriorities(wanted.name)
    }

    /// max_priority for a quorum queue.
    private func quorumPriorities(_ name: String) -> [Finding] {
        let version = examination.version
        if let priorities = version.quorumPriorityText {
            return [
                .note(
                    "queue \(name)", "a quorum queue of RabbitMQ \(version) has priorities by itself: \(priorities)",
                    fix: "max_priority may be left out of [queues.\(name)]: it is not sent")
            ]
        }
        let isThere = examination.queues.contains { $0.name == name && $0.found != nil }
        let detail =
            isThere
            ? "is a quorum queue: RabbitMQ \(version) has no priorities in one"
            : "RabbitMQ \(version) has no priorities in a quorum queue: the worker will refuse to start"
        let fix =
            "leave max_priority out of [queues.\(name)]; serve urgent work from a queue of its own "
            + "(--queues urgent,normal)"
        return [isThere ? .warn("queue \(name)", detail, fix: fix) : .fail("queue \(name)", detail, fix: fix)]
    }

    private func durability(_ name: String, _ found: RabbitMQExamination.Found) -> [Finding] {
        let recreate =
            "delete it once it is empty (rabbitmqctl delete_queue \(name) --if-empty); the worker declares it again"
        if !found.isDurable {
            return [
                .fail("queue \(name)", "is transient: a restart of the broker empties and removes it", fix: recreate)
            ]
        }
        if found.isAutoDelete {
            return [
                .fail(
                    "queue \(name)", "is auto-delete: it goes, with its messages, with its last consumer", fix: recreate
                )
            ]
        }
        return []
    }

    private func difference(_ name: String, _ found: RabbitMQExamination.Found) -> [Finding] {
        let wanted = declaration(of: name)
        guard wanted.isExplicit else { return [] }
        var differences: [String] = []
        var asked = wanted.arguments
        if let kind = wanted.kind { asked["x-queue-type"] = .string(kind.rawValue) }
        // A quorum queue has none to compare.
        if let priorities = wanted.maxPriority, !found.isQuorum { asked["x-max-priority"] = .int(Int64(priorities)) }
        for field in asked.fields {
            let actual = found.arguments[field.key] ?? (field.key == "x-queue-type" ? .string("classic") : nil)
            // What is left unread may be this one.
            guard actual != field.value, found.unread == nil || actual != nil else { continue }
            differences.append("\(field.key) is \(actual?.shown ?? "not set"), not \(field.value.shown)")
        }
        guard !differences.isEmpty else { return [] }
        return [
            .warn(
                "queue \(name)",
                "exists with other arguments than [queues.\(name)] asks for, and is used as it is: "
                    + differences.joined(separator: "; "),
                fix: "give [queues.\(name)] what the queue has, or delete the queue once it is empty "
                    + "(rabbitmqctl delete_queue \(name) --if-empty); the worker declares it again")
        ]
    }

    /// What the broker itself lets die: time to live, length, delivery limit.
    private func deaths(_ name: String, _ found: RabbitMQExamination.Found) -> [Finding] {
        if let exchange = found.arguments["x-dead-letter-exchange"]?.text {
            guard examination.missingExchanges.contains(exchange) else { return [] }
            return [
                .fail(
                    "queue \(name)",
                    "sends its dead letters to exchange '\(exchange)', which does not exist: they are lost",
                    fix: "declare the exchange and bind a queue to it")
            ]
        }
        let bounds = ["x-message-ttl", "x-max-length", "x-max-length-bytes"].filter { found.arguments[$0] != nil }
        let overflow = found.arguments["x-overflow"]?.text ?? "drop-head"
        let losing = bounds.filter { $0 == "x-message-ttl" || overflow == "drop-head" }
        if !losing.isEmpty {
            return [
                .warn(
                    "queue \(name)",
                    "drops messages by \(losing.joined(separator: " and ")), and no dead-letter exchange takes them",
                    fix: "declare it with x-dead-letter-exchange, or set a policy: rabbitmqctl set_policy "
                        + "dead-letters '^\(name)$' '{\"dead-letter-exchange\":\"EXCHANGE\"}' --apply-to queues")
            ]
        }
        if found.isQuorum, examination.version.hasDeliveryLimit, found.arguments["x-delivery-limit"] == nil {
            return [
                .note(
                    "queue \(name)",
                    "the broker drops a message after 20 deliveries (its default), unless a policy says otherwise",
                    fix: "give it x-dead-letter-exchange, or a higher x-delivery-limit")
            ]
        }
        return []
    }

    private func priorities(_ name: String, _ found: RabbitMQExamination.Found) -> [Finding] {
        if found.isQuorum, declaration(of: name).maxPriority != nil { return quorumPriorities(name) }
        let used = question.prioritySchedules[name] ?? []
        let hasPriorities =
            found.isQuorum
            ? examination.version.quorumPriorities != .none : found.arguments["x-max-priority"] != nil
        guard !hasPriorities, !used.isEmpty else { return [] }
        let why = found.isQuorum ? "is a quorum queue of RabbitMQ \(examination.version)" : "has no x-max-priority"
        let entries = used.map { "[schedules.\($0)]" }.joined(separator: ", ")
        return [
            .warn(
                "queue \(name)", "\(why), so the priority of \(entries) has no effect",
                fix: found.isQuorum
                    ? "serve urgent work from a queue of its own (--queues urgent,normal)"
                    : "declare it with max_priority in [queues.\(name)], once it is deleted")
        ]
    }

    private func policy(_ name: String, _ found: RabbitMQExamination.Found) -> [Finding] {
        guard let policy = policies?[name] else { return [] }
        var findings: [Finding] = []
        if policy.keys.contains("ha-mode") {
            findings.append(
                .warn(
                    "queue \(name)",
                    "is a classic queue mirrored by policy '\(policy.name)': RabbitMQ 4 has no mirroring any more",
                    fix: "make it a quorum queue (type = \"quorum\" in [queues.\(name)], once it is deleted)"))
        }
        let bounds = ["message-ttl", "max-length", "max-length-bytes", "expires"].filter(policy.keys.contains)
        let isCaught = policy.keys.contains("dead-letter-exchange") || found.arguments["x-dead-letter-exchange"] != nil
        if !bounds.isEmpty, !isCaught {
            let what = bounds.joined(separator: " and ")
            findings.append(
                .warn(
                    "queue \(name)",
                    "policy '\(policy.name)' drops messages by \(what), and no dead-letter exchange takes them",
                    fix: "add dead-letter-exchange to the policy"))
        }
        return findings
    }
}

extension FieldValue {
    /// For messages.
    fileprivate var shown: String {
        switch self {
        case .string(let text): "'\(text)'"
        case .int(let number): "\(number)"
        case .bool(let flag): "\(flag)"
        case .double(let number): "\(number)"
        default: "another value"
        }
    }
}
