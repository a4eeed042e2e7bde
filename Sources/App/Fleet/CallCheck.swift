// Whether a worker will take a task that was sent: a message to a queue without consumers waits for ever.
import Client
package import Configuration
import Glibc
import Output
import Ports
import Settings
import TaskModel
import TaskhostJSON

package enum CallCheck {
    /// Seconds a worker gets to reply, and before that for the task's first sign of life.
    private static let patience = 1.0

    /// Asks the workers over a link of its own: a user who may send tasks but not ask gets no warning.
    package static func notes(_ configuration: Configuration, task: String, queue: String) -> [String] {
        var notes: [String] = []
        do throws(CommandFailure) {
            let session = try ClientSession(configuration, needsBroker: true, needsStore: false, needsReplies: true)
            session.limit(seconds: 5) { session.unanswered }
            try session.run {
                let questions = [ControlQuestion("active_queues"), ControlQuestion("registered")]
                session.ask(questions, within: patience) { answers in
                    notes = sentences(task: task, queue: queue, queues: answers[0], registered: answers[1])
                    session.finish()
                }
            }
        } catch {
            return []
        }
        return notes
    }

    /// In the background, unless it is over by then: the wait goes on meanwhile.
    package static func watch(
        _ configuration: Configuration, task: String, queue: String, isOver: @escaping @Sendable () -> Bool,
        checked: @escaping @Sendable () -> Void
    ) {
        // Without a thread to spare there is no check; the call goes its way.
        _ = OwnThread.run {
            usleep(useconds_t(patience * 1e6))
            guard !isOver() else { return }
            let notes = notes(configuration, task: task, queue: queue)
            guard !isOver() else { return }
            checked()
            for note in notes { Console.note(note) }
        }
    }

    /// Pure. Nothing when all is well.
    static func sentences(
        task: String, queue: String, queues: [JSONMember], registered: [JSONMember]
    ) -> [String] {
        guard !queues.isEmpty else {
            return ["taskhost: no worker replies: it waits in queue '\(queue)' until one with this broker is started"]
        }
        func names(_ reply: JSON) -> [String] { (reply.elements ?? []).compactMap { $0["name"]?.text } }
        let consumers = Set(queues.filter { names($0.value).contains(queue) }.map(\.key))
        guard !consumers.isEmpty else {
            let consumed = Set(queues.flatMap { names($0.value) }).sorted()
            let list = consumed.isEmpty ? "none" : consumed.joined(separator: ", ")
            return [
                "taskhost: no worker consumes queue '\(queue)' (consumed: \(list)): it waits there until one does",
                "  fix: name another with --queue, or start a worker with -Q \(queue)",
            ]
        }
        // Celery adds attributes behind the name.
        let known = registered.filter { consumers.contains($0.key) }.flatMap { $0.value.elements ?? [] }
            .compactMap { $0.text.map { String($0.prefix { $0 != " " }) } }
        guard !known.isEmpty, !task.hasPrefix("celery."), !known.contains(task) else { return [] }
        let nearest = NearestName.ofTask(task, among: Set(known).sorted()).map { "; did you mean '\($0)'?" } ?? ""
        return ["taskhost: no worker of queue '\(queue)' has registered '\(task)'\(nearest)"]
    }
}
