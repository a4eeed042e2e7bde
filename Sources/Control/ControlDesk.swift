// Remote control without its transport: a request in, a reply out.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

/// Pure but for what it asks of the engine. On the loop.
final class ControlDesk {
    enum Reaction {
        /// Not for this node.
        case ignored
        /// For nobody, because it is not usable; the sentence is for the log.
        case dropped(String)
        /// The value to reply with; nil: never a reply.
        case answered(JSON?)
    }

    let engine: any EngineControl
    let facts: ControlFacts
    /// Celery's event clock (`clock`, `stats`, `hello`).
    let events: LamportClock
    /// nil: this broker carries none.
    let eventService: EventService?
    /// The mailbox's own, told in the header of replies.
    let mailbox = LamportClock()
    let policy: ControlPolicy
    private var memory = MemorySamples()
    /// Whole seconds since the start.
    private let uptime: () -> Int
    let log: (Int, String) -> Void

    init(
        engine: any EngineControl, facts: ControlFacts, events: EventService?, policy: ControlPolicy,
        uptime: @escaping () -> Int, log: @escaping (Int, String) -> Void
    ) {
        self.engine = engine
        self.policy = policy
        eventService = events
        self.events = events?.clock ?? LamportClock()
        self.facts = facts
        self.uptime = uptime
        self.log = log
    }

    func handle(_ request: ControlRequest) -> Reaction {
        events.forward()
        mailbox.adjust(to: request.clock)
        switch isForUs(request) {
        case .matches: break
        case .differs: return .ignored
        case .unusable(let reason): return .dropped(reason)
        }
        let arguments = CommandArguments(method: request.method, members: request.arguments)
        do throws(CommandError) {
            if let reply = try look(request.method, arguments, signed: request.isSigned) { return .answered(reply) }
            try policy.admit(request.method, signed: request.isSigned)
            return .answered(try act(request.method, arguments))
        } catch {
            log(2, "Remote command \(request.method) failed: \(error.repr)")
            return .answered(["error": .string(error.repr)])
        }
    }

    private func isForUs(_ request: ControlRequest) -> NodePattern.Answer {
        if let names = request.destination, !names.isEmpty {
            return names.contains(engine.nodeName) ? .matches : .differs
        }
        guard let pattern = request.pattern, let matcher = request.matcher, !pattern.isEmpty, !matcher.isEmpty else {
            return .matches
        }
        return NodePattern.check(engine.nodeName, against: pattern, matcher: matcher)
    }

    // ---- commands that change something ----

    /// nil: never a reply.
    private func act(_ method: String, _ arguments: CommandArguments) throws(CommandError) -> JSON? {
        switch method {
        case "revoke": try revoke(arguments)
        case "terminate": try terminate(arguments)
        case "revoke_by_stamped_headers": try revokeByStamps(arguments)
        case "rate_limit": try rateLimit(arguments)
        case "time_limit": timeLimit(arguments)
        case "add_consumer": try addConsumer(arguments)
        case "cancel_consumer": try cancelConsumer(arguments)
        case "pause_queue", "resume_queue": try pauseOrResume(pauses: method == "pause_queue", arguments)
        case "pool_grow": try changePool(grows: true, arguments)
        case "pool_shrink": try changePool(grows: false, arguments)
        case "autoscale": try autoscale(arguments)
        case "pool_restart": try restartPool()
        case "shutdown": shutDown()
        case "enable_events", "disable_events": try turnEvents(on: method == "enable_events", arguments)
        default: throw CommandError("KeyError", method)
        }
    }

    // ---- commands that look ----

    /// nil: it is none of these.
    private func look(
        _ method: String, _ arguments: CommandArguments, signed: Bool
    ) throws(CommandError) -> JSON? {
        switch method {
        case "ping": return ["ok": "pong"]
        case "active", "dump_active": return tasks(safe: arguments.flag("safe")) { $0 == "active" }
        case "reserved", "dump_reserved": return tasks { $0 == "reserved" }
        case "scheduled", "dump_schedule":
            let waiting = engine.heldTasks.filter { $0.phase == .scheduled }
            return .array(waiting.map { TaskInfo.scheduled($0, node: engine.nodeName) })
        case "revoked", "dump_revoked": return .array(engine.revokedTaskIDs.map { .string($0) })
        case "registered", "dump_tasks":
            return RegisteredReply.json(engine.registeredTasks, items: arguments.texts("taskinfoitems"))
        case "query_task": return try query(arguments)
        case "active_queues":
            try arguments.requireNone()
            let paused = Set(engine.pausedQueues)
            return .array(engine.consumedQueues.map { QueueMap.json($0, isPaused: paused.contains($0.name)) })
        case "stats": return StatsReply.json(engine, facts: facts, clock: events.value, uptime: uptime())
        case "conf", "dump_conf": return .object(facts.settings(arguments.flag("with_defaults")))
        case "report":
            try arguments.requireNone()
            return ["ok": .string(ReportReply.text(facts))]
        case "clock": return ["clock": .int(Int64(clamping: events.value))]
        case "hello": return try hello(arguments, signed: signed)
        case "overview":
            try arguments.requireNone()
            return OverviewReply.json(engine, sendsTaskEvents: eventService?.sendsTaskEvents ?? false)
        case "heartbeat": return heartbeat()
        case "memsample": return .string(memory.sample())
        case "memdump": return .string(memory.dump())
        // In Celery's words where the library that draws the graph of Python's objects is missing.
        case "objgraph": throw CommandError("ImportError", "Requires the objgraph library")
        // We stand for no election, and vote in none.
        case "election":
            try arguments.require("id", "topic")
            return .null
        default: return nil
        }
    }

    private func tasks(safe: Bool = false, where isWanted: (String) -> Bool) -> JSON {
        let wanted = engine.heldTasks.filter { isWanted(TaskInfo.place($0)) }
        return .array(wanted.map { TaskInfo.json($0, node: engine.nodeName, safe: safe) })
    }

    private func query(_ arguments: CommandArguments) throws(CommandError) -> JSON {
        try arguments.require("ids")
        let ids = Set(arguments.texts("ids"))
        let found = engine.heldTasks.filter { ids.contains($0.id) }
        return .object(
            found.map { task in
                JSONMember(
                    key: task.id,
                    value: [.string(TaskInfo.place(task)), TaskInfo.json(task, node: engine.nodeName)])
            })
    }

    private func hello(_ arguments: CommandArguments, signed: Bool) throws(CommandError) -> JSON {
        try arguments.require("from_node")
        guard arguments["from_node"]?.text != engine.nodeName else { return .null }
        let ids = arguments.texts("revoked")
        if !ids.isEmpty, policy.allowsChange(signed: signed) { engine.mergeRevoked(ids) }
        return [
            "revoked": .array(engine.revokedTaskIDs.map { .string($0) }),
            "clock": .int(Int64(clamping: events.forward())),
        ]
    }
}
