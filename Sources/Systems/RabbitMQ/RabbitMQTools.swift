// What only RabbitMQ's own tools tell: consumer_timeout, policies, its clock. Asked through `--rabbitmqctl COMMAND`.
import Ports
import TaskhostJSON

struct RabbitMQTools {
    let run: (_ arguments: [String]) -> Result<String, TransportFailure>
    let vhost: String
    let now: () -> Double

    /// Seconds; nil: tasks may be held for ever.
    func consumerTimeout() throws(TransportFailure) -> Double? {
        let answer = try run(["-q", "eval", "application:get_env(rabbit, consumer_timeout, undefined)."]).get()
        if answer == "undefined" { return nil }
        guard let milliseconds = Double(answer) else { throw TransportFailure("consumer_timeout is \(answer)") }
        return milliseconds / 1000
    }

    /// Of the machine where the tool runs, which should be RabbitMQ's.
    func clock() throws(TransportFailure) -> ClockSample {
        let asked = now()
        let answer = try run(["-q", "eval", "os:system_time(millisecond)."]).get()
        guard let milliseconds = Double(answer) else { throw TransportFailure("its clock is \(answer)") }
        return ClockSample(theirs: milliseconds / 1000, coarse: 0, asked: asked, answered: now())
    }

    /// By queue.
    func policies() throws(TransportFailure) -> [String: RabbitMQPolicy] {
        var definitions: [String: JSON] = [:]
        for row in try table(["list_policies"]) {
            guard let name = row["name"]?.text else { continue }
            // Older ones write it as a text.
            var definition = row["definition"]
            if let text = definition?.text { definition = try Self.parsed(text) }
            definitions[name] = definition
        }
        var policies: [String: RabbitMQPolicy] = [:]
        for row in try table(["list_queues", "name", "policy"]) {
            guard let queue = row["name"]?.text, let name = row["policy"]?.text, !name.isEmpty else { continue }
            let definition = definitions[name]
            policies[queue] = RabbitMQPolicy(
                name: name, keys: Set((definition?.members ?? []).map(\.key)),
                consumerTimeout: definition?["consumer-timeout"]?.integer.map { Double($0) / 1000 })
        }
        return policies
    }

    private func table(_ words: [String]) throws(TransportFailure) -> [JSON] {
        try Self.parsed(try run(["-q", "-p", vhost] + words + ["--formatter", "json"]).get()).elements ?? []
    }

    private static func parsed(_ text: String) throws(TransportFailure) -> JSON {
        do {
            return try JSON(parsing: Array(text.utf8), limits: .trusted)
        } catch {
            throw TransportFailure("its answer is no JSON: \(error)")
        }
    }
}
