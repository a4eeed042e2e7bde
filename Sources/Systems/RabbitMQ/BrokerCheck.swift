// What doctor makes of a RabbitMQ: its answer over AMQP, and what its tools and management API add.
import Ports
import TaskModel

struct BrokerCheck {
    let question: ExaminationQuestion
    /// Of the broker, without secrets.
    let description: String
    let vhost: String

    static let fix = "start it, or name another with --broker (or CELERY_BROKER_URL)"

    func findings(_ answer: Result<RabbitMQExamination, BrokerFailure>) -> [Finding] {
        switch answer {
        case .failure(let failure): [.fail(question.subject, failure.detail, fix: failure.fix ?? Self.fix)]
        case .success(let examination): examined(examination)
        }
    }

    private func examined(_ examination: RabbitMQExamination) -> [Finding] {
        var findings = [Finding.ok(question.subject, "RabbitMQ \(examination.version) at \(description)")]
        let tool = question.tools.command.map { RabbitMQTools(run: $0, vhost: vhost, now: question.tools.now) }
        let policies = policies(examination.queues.map(\.name), tool, &findings)
        let queues = QueueCheck(question: question, examination: examination, policies: policies)
        consumerTimeouts(queues, tool, &findings)
        findings += queues.findings()
        if let sample = clock(tool, &findings) {
            findings.append(
                ClockCheck.finding(
                    ahead: sample.ahead, uncertainty: sample.uncertainty, place: "RabbitMQ",
                    harm: "if it is ours that is wrong, eta and expires are off by as much"))
        }
        return findings
    }

    private func consumerTimeouts(_ queues: QueueCheck, _ tool: RabbitMQTools?, _ findings: inout [Finding]) {
        let limits = ConsumerTimeoutCheck(limits: question.limits)
        let timed = queues.timedQueues
        guard !timed.isEmpty else {
            let version = queues.examination.version
            return findings.append(.ok("limits", "classic queues of RabbitMQ \(version) have no consumer_timeout"))
        }
        let own = queues.consumerTimeouts
        do throws(TransportFailure) {
            guard let tool else { throw TransportFailure("neither AMQP nor the management API shows it") }
            findings += limits.findings(consumerTimeout: try tool.consumerTimeout(), isKnown: true)
        } catch {
            findings.append(
                .note(
                    question.subject, "consumer_timeout is unknown: \(error.detail)",
                    fix: "let doctor ask RabbitMQ's own tool on that machine: --rabbitmqctl rabbitmqctl"))
            if own.count < timed.count {
                findings += limits.findings(
                    consumerTimeout: question.consumerTimeout, isKnown: question.isConsumerTimeoutSet)
            }
        }
        findings += limits.findings(queues: own)
    }

    private var management: RabbitMQManagement? {
        question.managementURL.map { RabbitMQManagement(url: $0, vhost: vhost, tools: question.tools) }
    }

    /// The management API is the quicker one; nil: unknown.
    private func clock(_ tool: RabbitMQTools?, _ findings: inout [Finding]) -> ClockSample? {
        if let sample = management?.clock() { return sample }
        do throws(TransportFailure) {
            return try tool?.clock()
        } catch {
            findings.append(
                .note(
                    "clock", "RabbitMQ's is unknown: \(error.detail)",
                    fix: "set management_url in [broker], or see that --rabbitmqctl works"))
            return nil
        }
    }

    /// nil: unknown, and said so.
    private func policies(
        _ queues: [String], _ tool: RabbitMQTools?, _ findings: inout [Finding]
    ) -> [String: RabbitMQPolicy]? {
        do throws(TransportFailure) {
            if let tool { return try tool.policies() }
            guard let management else { throw TransportFailure("AMQP does not tell them") }
            return try management.policies(of: queues)
        } catch {
            findings.append(
                .note(
                    question.subject, "policies are unknown: \(error.detail)",
                    fix: "set management_url in [broker], or use --rabbitmqctl on that machine"))
            return nil
        }
    }
}
