// Commands that list what waits for its time: in flight here, or in the broker.
import Ports
import TaskModel
import TaskhostJSON

extension CommandHandler {
    /// Messages listed in full, the soonest first.
    private static let maxListed = 100

    /// Those near their time are in flight here, the others still in the broker. With `ids`, an argument that Celery
    /// does not have and passes over, only these.
    func scheduled(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        let texts = arguments.texts("ids")
        let ids = texts.isEmpty ? nil : Set(texts)
        return .pending { [engine] answer in
            engine.laterTasks(ids, limit: Self.maxListed) { [engine] later in
                let held = engine.inFlightTasks.filter { $0.phase == .scheduled && ids?.contains($0.id) ?? true }
                let known = Set(held.map(\.id))
                let all = held + later.next.map(\.task).filter { !known.contains($0.id) }
                let soonest = all.sorted { ($0.eta?.microseconds ?? 0) < ($1.eta?.microseconds ?? 0) }
                    .prefix(Self.maxListed)
                answer(
                    ControlAnswer(weight: soonest.reduce(0) { $0 + TaskInfo.weight($1) }) { [node = engine.nodeName] in
                        .array(soonest.map { TaskInfo.scheduled($0, node: node) })
                    })
            }
        }
    }

    func overview(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try arguments.requireNone()
        return .pending { [engine, eventService] answer in
            engine.laterTasks(nil, limit: 0) { later in
                let tells = eventService?.sendsTaskEvents ?? false
                answer(ControlAnswer(OverviewReply.json(engine, sendsTaskEvents: tells, later: later.counts)))
            }
        }
    }

    func queryTask(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try arguments.require("ids")
        let ids = Set(arguments.texts("ids"))
        return .pending { [self] answer in query(ids, answer) }
    }

    private func query(_ ids: Set<String>, _ answer: @escaping (ControlAnswer) -> Void) {
        let found = engine.inFlightTasks.filter { ids.contains($0.id) }
        let tell = { [engine] (found: [InFlightTask]) in
            answer(
                ControlAnswer(weight: found.reduce(0) { $0 + TaskInfo.weight($1) }) { [node = engine.nodeName] in
                    .object(
                        found.map { task in
                            JSONMember(
                                key: task.id, value: [.string(TaskInfo.place(task)), TaskInfo.json(task, node: node)])
                        })
                })
        }
        let missing = ids.subtracting(found.map(\.id))
        guard !missing.isEmpty else { return tell(found) }
        engine.laterTasks(missing, limit: Self.maxListed) { later in
            tell(found + later.next.map(\.task).filter { missing.contains($0.id) })
        }
    }

    /// A command of our own: how many there are, by queue, and the next ones in few words.
    func later(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try arguments.requireNone()
        return .pending { [self] answer in tellLater(answer) }
    }

    private func tellLater(_ answer: @escaping (ControlAnswer) -> Void) {
        engine.laterTasks(nil, limit: Self.maxListed) { [engine] later in
            let held = engine.inFlightTasks.filter { $0.phase == .scheduled }
            let known = Set(held.map(\.id))
            let waiting =
                held.map { ($0, $0.routingKey) }
                + later.next.filter { !known.contains($0.task.id) }.map { ($0.task, $0.queue) }
            let next = waiting.sorted { ($0.0.eta?.microseconds ?? 0) < ($1.0.eta?.microseconds ?? 0) }
                .prefix(Self.maxListed).map { TaskInfo.later($0.0, queue: $0.1) }
            var inFlightCounts: [String: Int] = [:]
            for task in held { inFlightCounts[task.routingKey, default: 0] += 1 }
            func counts(_ counts: [String: Int]) -> JSON {
                .object(counts.sorted { $0.key < $1.key }.map { JSONMember(key: $0.key, value: .int(Int64($0.value))) })
            }
            answer(
                ControlAnswer([
                    "held": counts(inFlightCounts), "broker": counts(later.counts), "next": .array(Array(next)),
                ])
            )
        }
    }
}
