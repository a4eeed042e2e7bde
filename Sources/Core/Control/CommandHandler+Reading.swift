// Commands that read what this worker has and is.
import Ports
import TaskModel
import TaskhostJSON

extension CommandHandler {
    func active(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        tasks("active", safe: arguments.flag("safe"))
    }

    func reserved(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        tasks("reserved", safe: false)
    }

    /// What is held at a place (`TaskInfo.place`), with all arguments.
    private func tasks(_ place: String, safe: Bool) -> RemoteCommand.Response {
        let wanted = engine.inFlightTasks.filter { TaskInfo.place($0) == place }
        return .answered(
            ControlAnswer(weight: wanted.reduce(0) { $0 + TaskInfo.weight($1) }) { [node = engine.nodeName] in
                .array(wanted.map { TaskInfo.json($0, node: node, safe: safe) })
            })
    }

    func activeQueues(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try arguments.requireNone()
        let paused = Set(engine.pausedQueues)
        return .value(.array(engine.consumedQueues.map { QueueMap.json($0, isPaused: paused.contains($0.name)) }))
    }

    func registered(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        .value(RegisteredReply.json(engine.registeredTasks, items: arguments.texts("taskinfoitems")))
    }

    func bundles(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        .value(BundlesReply.json(engine.bundles))
    }

    private var revokedIDs: JSON { .array(engine.revokedTaskIDs.map { .string($0) }) }

    func revoked(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response { .value(revokedIDs) }

    func statistics(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        .value(StatsReply.json(engine, facts: facts, clock: events.value, uptime: uptime()))
    }

    func conf(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        .value(.object(facts.settings(arguments.flag("with_defaults"))))
    }

    func report(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try arguments.requireNone()
        return ok(ReportReply.text(facts))
    }

    func ping(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response { ok("pong") }

    func clock(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        .value(["clock": .int(Int64(clamping: events.value))])
    }

    func memsample(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        .value(.string(memory.sample()))
    }

    func memdump(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        .value(.string(memory.dump()))
    }

    /// In Celery's words where the library that draws the graph of Python's objects is missing.
    func objgraph(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        throw CommandError("ImportError", "Requires the objgraph library")
    }

    /// Another worker greets: its revoked ids are taken over, if it may change this worker.
    func hello(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try arguments.require("from_node")
        guard arguments["from_node"]?.text != engine.nodeName else { return .value(.null) }
        let ids = RevokedIDs.read(arguments["revoked"])
        if !ids.isEmpty, policy.allowsChange(arguments.proof()) { merge(ids) }
        return .value(["revoked": revokedIDs, "clock": .int(Int64(clamping: events.forward()))])
    }

    /// Ids of another worker's.
    func merge(_ ids: [String]) {
        inParts(ids) { [engine] in
            engine.mergeRevoked($0)
        } done: {
        }
    }
}
