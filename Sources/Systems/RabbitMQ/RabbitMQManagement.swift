// Policies and clock as RabbitMQ's management API tells them (`broker.management_url`).
import Ports
import TaskModel
import TaskhostJSON

struct RabbitMQManagement {
    /// "http://guest:guest@localhost:15672"
    let url: String
    let vhost: String
    let tools: ExaminationTools

    /// By queue; those it does not know are left out.
    func policies(of queues: [String]) throws(TransportFailure) -> [String: RabbitMQPolicy] {
        var policies: [String: RabbitMQPolicy] = [:]
        for queue in queues {
            guard let facts = try get("/api/queues/\(ConnectionURL.encoded(vhost))/\(ConnectionURL.encoded(queue))")
            else { continue }
            let definition = facts["effective_policy_definition"]
            // What only says that there is none is an empty list.
            let names = [facts["policy"]?.text, facts["operator_policy"]?.text].compactMap { $0 }
            guard !names.isEmpty else { continue }
            policies[queue] = RabbitMQPolicy(
                name: names.joined(separator: "' and '"), keys: Set((definition?.members ?? []).map(\.key)),
                consumerTimeout: definition?["consumer-timeout"]?.integer.map { Double($0) / 1000 })
        }
        return policies
    }

    /// Known from any answer, also from one that refuses us; nil: unknown.
    func clock() -> ClockSample? {
        let asked = tools.now()
        let answer = exchange("/api/whoami")
        guard answer.status > 0, answer.date >= 0 else { return nil }
        // Whole seconds, cut off.
        return ClockSample(theirs: Double(answer.date) + 0.5, coarse: 0.5, asked: asked, answered: tools.now())
    }

    private func exchange(_ path: String) -> ExaminationTools.HTTPAnswer {
        tools.fetch((url.last == "/" ? String(url.dropLast()) : url) + path)
    }

    /// nil: there is no such thing.
    private func get(_ path: String) throws(TransportFailure) -> JSON? {
        let answer = exchange(path)
        switch answer.status {
        case 200:
            do {
                return try JSON(parsing: answer.body, limits: .trusted)
            } catch {
                throw TransportFailure(
                    "\(ConnectionURL.redacted(url)) does not answer in JSON: is it RabbitMQ's management?")
            }
        case 404: return nil
        case 401, 403:
            throw TransportFailure("\(ConnectionURL.redacted(url)) refuses this user: give it the tag monitoring")
        case ..<0: throw TransportFailure("\(ConnectionURL.redacted(url)): \(answer.error)")
        default: throw TransportFailure("\(ConnectionURL.redacted(url)) answered \(answer.status)")
        }
    }
}
