// Where a task that is not over is: with a worker, or in the broker until its time comes.
import CeleryWire
import Client
package import Configuration
import Output
package import TaskModel
package import TaskhostJSON

package struct TaskPlace {
    /// "scheduled", "reserved", "active" or "ready".
    var place: String
    var node: String
    /// When it is to run; nil: now, or unknown.
    var eta: WallTime?

    /// nil: no worker knows it, or none can be asked; then nothing is said of it.
    package static func find(_ id: String, _ configuration: Configuration) -> TaskPlace? {
        var found: TaskPlace?
        do throws(CommandFailure) {
            let session = try ClientSession(configuration, needsBroker: true, needsStore: false, needsReplies: true)
            session.limit(seconds: 3) { session.unanswered }
            let ids = [JSONMember(key: "ids", value: [.string(id)])]
            let questions = [ControlQuestion("query_task", ids), ControlQuestion("scheduled", ids)]
            try session.run {
                session.ask(questions, within: 1) { answers in
                    found = Self(id, places: answers[0], times: answers[1])
                    session.finish()
                }
            }
        } catch {
            return nil
        }
        return found
    }

    init?(_ id: String, places: [JSONMember], times: [JSONMember]) {
        for reply in places {
            guard let answer = reply.value[id]?.elements, answer.count == 2, let place = answer[0].text else {
                continue
            }
            self.place = place
            node = reply.key
            let entry = times.flatMap { $0.value.elements ?? [] }.first { $0["request"]?["id"]?.text == id }
            eta = place == "scheduled" ? entry?["eta"]?.text.flatMap { ISO8601.parse($0) } : nil
            return
        }
        return nil
    }

    package func text(at now: WallTime) -> String {
        switch place {
        case "scheduled":
            guard let eta else { return "waits for its time (\(node))" }
            return "due \(ISO8601.format(eta)), in \(DurationText.age(max(0, eta.seconds(since: now)))) (\(node))"
        case "reserved": return "waits for a slot (\(node))"
        case "active": return "runs (\(node))"
        default: return "its outcome is being recorded (\(node))"
        }
    }

    package var members: [JSONMember] {
        [
            JSONMember(key: "place", value: .string(place)), JSONMember(key: "node", value: .string(node)),
            JSONMember(key: "eta", value: eta.map { .string(ISO8601.format($0)) } ?? .null),
        ]
    }
}
