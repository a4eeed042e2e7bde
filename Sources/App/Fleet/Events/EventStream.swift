// `taskhost events` at work: receives, filters, prints.
import Client
import Glibc
import Output
package import Ports
import TaskModel
import TaskhostJSON

/// On the session's loop.
package final class EventStream {
    private let session: ClientSession
    private let source: any EventSource
    private let filter: EventFilter
    private let asJSON: Bool
    /// Workers are asked to send events of tasks; those that start later, too.
    private let enables: Bool
    private var names = TaskNames()
    /// Nodes that were asked to.
    private var enabled: Set<String> = []

    private static let limits = JSONLimits(maxDepth: 32, maxNodes: 200_000)
    private static let patience = 1.0

    package init(session: ClientSession, source: any EventSource, filter: EventFilter, asJSON: Bool, enables: Bool) {
        self.session = session
        self.source = source
        self.filter = filter
        self.asJSON = asJSON
        self.enables = enables
    }

    package func begin() {
        source.open { [weak self] in
            self?.greet()
        } received: { [weak self] in
            self?.received($0)
        }
    }

    package func end() {
        source.close()
        session.finish()
    }

    /// What happens from now on is seen.
    private func greet() {
        Console.note("taskhost: listening; INT (^C) ends it")
        if enables { return enable(nil) }
        session.ask(ControlQuestion("overview"), within: Self.patience) { replies in
            let flags = replies.compactMap { reply -> Bool? in
                if case .bool(let flag)? = reply.value["task_events"] { flag } else { nil }
            }
            // Only taskhost's workers say it: others may send them.
            guard flags.count == replies.count, !flags.contains(true) else { return }
            Console.note(
                replies.isEmpty
                    ? "taskhost: no worker replies"
                    : "taskhost: no worker sends events of tasks; --enable turns them on")
        }
    }

    private func enable(_ node: String?) {
        let question = ControlQuestion("enable_events", destination: node.map { [$0] })
        session.ask(question, within: Self.patience) { [weak self] replies in
            guard replies.isEmpty else { return }
            // A worker may say that it is online before it listens: its next heartbeat asks again.
            if let node { self?.enabled.remove(node) } else { Console.note("taskhost: no worker replies") }
        }
    }

    private func enableIfNew(_ node: String, _ type: String) {
        guard enabled.insert(node).inserted || type == "worker-online", type != "worker-offline" else { return }
        enable(node)
    }

    private func received(_ message: WireMessage) {
        let body: JSON
        do throws(JSONError) {
            body = try JSON(parsing: message.body, limits: Self.limits)
        } catch {
            return Console.note("taskhost: an event that is no JSON was passed over")
        }
        for event in body.elements ?? [body] { show(event) }
    }

    private func show(_ event: JSON) {
        guard let type = event["type"]?.text else { return }
        names.learn(event)
        if enables, type.hasPrefix("worker-"), let node = event["hostname"]?.text { enableIfNew(node, type) }
        let name = names[event["uuid"]?.text]
        guard filter.shows(event, name: name) else { return }
        let line = asJSON ? Console.text(event) : EventText.line(event, name: name)
        if !Console.write(line + "\n", to: STDOUT_FILENO) { end() }
    }
}
