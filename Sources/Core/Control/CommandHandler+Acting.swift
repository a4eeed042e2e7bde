// Commands that change something.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

extension CommandHandler {
    /// As many as a worker remembers: more would push out the first of the same command.
    static let maxIDs = 50_000
    /// Bytes.
    static let longestID = 1024
    static let maxStamps = 10_000

    /// Ids that a worker remembers in one turn.
    static let idsATurn = 2_000

    func ok(_ text: String) -> RemoteCommand.Response { .value(["ok": .string(text)]) }
    func refusal(_ text: String) -> RemoteCommand.Response { .value(["error": .string(text)]) }

    func revoke(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try arguments.require("task_id")
        return try revoke(arguments, terminate: arguments.flag("terminate"))
    }

    func terminate(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try arguments.require("signal", "task_id")
        return try revoke(arguments, terminate: true)
    }

    /// Many ids are revoked in several turns of the loop, and answered after the last.
    private func revoke(
        _ arguments: CommandArguments, terminate: Bool
    ) throws(CommandError) -> RemoteCommand.Response {
        let (ids, signal) = try revocation(arguments, terminate: terminate)
        guard ids.count > Self.idsATurn else {
            return .value(Self.revoked(ids, ended: engine.revoke(ids, terminate: signal), terminate: terminate))
        }
        return .pending { [self] answer in
            var ended: [String] = []
            inParts(ids) { [engine] in
                ended += engine.revoke($0, terminate: signal)
            } done: {
                let ended = ended
                answer(ControlAnswer(weight: .max) { Self.revoked(ids, ended: ended, terminate: terminate) })
            }
        }
    }

    private func revocation(
        _ arguments: CommandArguments, terminate: Bool
    ) throws(CommandError) -> (ids: [String], signal: Int32?) {
        // Celery reads the signal only after it has revoked; a command that is wrong in part does nothing here.
        (
            try taskIDs(arguments),
            terminate ? try SignalArgument.number(arguments["signal"], usual: facts.usualSignal) : nil
        )
    }

    private static func revoked(_ ids: [String], ended: [String], terminate: Bool) -> JSON {
        if !terminate { return ["ok": .string("tasks \(PythonText.set(ids)) flagged as revoked")] }
        let outcome = ended.isEmpty ? "terminate: tasks unknown" : "terminate: \(ended.joined(separator: ", "))"
        return ["ok": .string(outcome)]
    }

    /// So many of a list in each turn, the first ones in this.
    func inParts(
        _ ids: [String], from first: Int = 0, _ each: @escaping ([String]) -> Void, done: @escaping () -> Void
    ) {
        let next = min(first + Self.idsATurn, ids.count)
        each(Array(ids[first..<next]))
        guard next < ids.count else { return done() }
        loop.nextTurn { [weak self] in self?.inParts(ids, from: next, each, done: done) }
    }

    /// Each once, in the order given.
    private func taskIDs(_ arguments: CommandArguments) throws(CommandError) -> [String] {
        var known: Set<String> = []
        var ids: [String] = []
        for id in arguments.texts("task_id") where known.insert(id).inserted { ids.append(id) }
        guard ids.count <= Self.maxIDs else {
            throw CommandError(
                "ValueError", "\(ids.count) ids, and one command takes \(Self.maxIDs): give several commands")
        }
        if let id = ids.first(where: { $0.utf8.count > Self.longestID }) {
            throw CommandError("ValueError", "the id \(id.prefix(40))… has more than \(Self.longestID) bytes")
        }
        return ids
    }

    func revokeByStamps(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try arguments.require("headers")
        let signal = try SignalArgument.number(arguments["signal"], usual: facts.usualSignal)
        let headers = try stampHeaders(arguments["headers"] ?? .null)
        let stamps = headers.map { RevokedStamp(name: $0.key, values: CommandArguments.texts($0.value)) }
        let count = stamps.reduce(0) { $0 + $1.values.count }
        guard count <= Self.maxStamps else {
            throw CommandError(
                "ValueError", "\(count) stamps, and one command takes \(Self.maxStamps): give several commands")
        }
        let terminates = arguments.flag("terminate")
        let ended = engine.revoke(stamps: stamps, terminate: terminates ? signal : nil)
        let shown = PythonRepr.repr(.object(headers))
        guard terminates else { return ok("headers \(shown) flagged as revoked, but not terminated") }
        guard !ended.isEmpty else { return ok("headers \(shown) were not terminated") }
        let pairs = ended.map { "\(PythonText.repr($0.name)): \(PythonText.set($0.values))" }
        return ok("headers defaultdict(<class 'set'>, {\(pairs.joined(separator: ", "))}) revoked")
    }

    /// A map, or a list of `name=value`.
    private func stampHeaders(_ value: JSON) throws(CommandError) -> [JSONMember] {
        if let members = value.members { return members }
        guard let elements = value.elements else {
            throw CommandError("TypeError", "headers must be a map or a list of name=value")
        }
        var members: [JSONMember] = []
        for element in elements {
            let parts = element.text?.split(separator: "=", omittingEmptySubsequences: false) ?? []
            guard parts.count >= 2 else { throw CommandError("IndexError", "list index out of range") }
            members.append(JSONMember(key: String(parts[0]), value: .string(String(parts[1]))))
        }
        return members
    }

    func rateLimit(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try arguments.require("task_name", "rate_limit")
        let limit: String? =
            switch arguments["rate_limit"] {
            case .string(let text): text
            case .int(let number): String(number)
            case .double(let number): number.description
            default: nil
            }
        do throws(ControlRefusal) {
            try engine.setRateLimit(limit, task: arguments["task_name"]?.text ?? "")
        } catch {
            return try response(to: error)
        }
        let isOff = limit == nil || limit == "" || limit == "0" || limit == "0.0"
        return ok(isOff ? "rate limit disabled successfully" : "new rate limit set successfully")
    }

    func timeLimit(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        do throws(ControlRefusal) {
            try engine.setTimeLimits(
                soft: arguments["soft"]?.number, hard: arguments["hard"]?.number,
                task: arguments["task_name"]?.text ?? "")
        } catch {
            return refusal("unknown task")
        }
        return ok("time limits set successfully")
    }

    private func response(to failure: ControlRefusal) throws(CommandError) -> RemoteCommand.Response {
        switch failure {
        case .unknownTask, .autoscales, .notAutoscaling, .restartsDisabled: return refusal("unknown task")
        case .unknownUnit(let unit): throw CommandError("KeyError", unit)
        case .invalidRate(let text):
            let reason = CommandError("ValueError", "could not convert string to float: \(PythonText.repr(text))")
            return refusal("Invalid rate limit string: \(reason.repr)")
        }
    }

    func addConsumer(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try arguments.require("queue")
        guard let name = arguments["queue"]?.text, !name.isEmpty, name.utf8.count <= 199 else {
            throw CommandError("ValueError", "a queue's name has 1 to 199 bytes")
        }
        // Elsewhere routed queues need an exchange declared and bound, which only their owner can describe.
        for (argument, expected) in [("exchange", name), ("routing_key", name), ("exchange_type", "direct")] {
            guard let value = arguments[argument]?.text, value != expected, !value.isEmpty else { continue }
            throw CommandError(
                "ValueError", "\(argument) '\(value)' is not supported here: only '\(expected)' is")
        }
        engine.addConsumer(QueueDeclaration(name: name))
        return ok("add consumer \(name)")
    }

    func cancelConsumer(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try arguments.require("queue")
        let name = arguments.texts("queue").first ?? ""
        engine.cancelConsumer(queue: name)
        return ok("no longer consuming from \(name)")
    }

    /// Commands of our own. A worker that does not consume the queue refuses: the name may be misspelt. Whether another
    /// worker has obeyed, only the sender can tell.
    func pauseQueue(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try pauseOrResume(pauses: true, arguments)
    }

    func resumeQueue(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try pauseOrResume(pauses: false, arguments)
    }

    private func pauseOrResume(
        pauses: Bool, _ arguments: CommandArguments
    ) throws(CommandError) -> RemoteCommand.Response {
        try arguments.require("queue")
        let name = arguments.texts("queue").first ?? ""
        let word = pauses ? "paused" : "resumed"
        return switch pauses ? engine.pause(queue: name) : engine.resume(queue: name) {
        case .done: ok("\(word) \(name)")
        case .already: ok(pauses ? "\(name) is paused already" : "\(name) is not paused")
        case .notConsumed: notConsumed(name)
        }
    }

    private func notConsumed(_ name: String) -> RemoteCommand.Response {
        let consumed = engine.consumedQueues.map(\.name).sorted()
        let meant = NearestName.of(name, among: consumed).map { "; did you mean '\($0)'?" } ?? ""
        let list = consumed.isEmpty ? "none" : consumed.joined(separator: ", ")
        return refusal("not consuming from \(name) (consumed: \(list))\(meant)")
    }

    /// Commands of our own. Without a name: of all bundles that have a version on trial.
    func promoteBundle(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        let name = arguments.texts("bundle").first
        return changed(name, engine.promote(bundle: name), otherwise: "has no version on trial, nor one taken back")
    }

    func rollBackBundle(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        let name = arguments.texts("bundle").first
        return changed(name, engine.rollBack(bundle: name), otherwise: "has no version before that is still known")
    }

    private func noBundle(_ name: String) -> RemoteCommand.Response {
        let loaded = Set(engine.bundles.compactMap(\.manifest?.name)).sorted()
        let meant = NearestName.of(name, among: loaded).map { "; did you mean '\($0)'?" } ?? ""
        let list = loaded.isEmpty ? "none" : loaded.joined(separator: ", ")
        return refusal("no bundle \(name) (loaded: \(list))\(meant)")
    }

    private func changed(_ name: String?, _ lines: [String]?, otherwise: String) -> RemoteCommand.Response {
        guard let lines else { return noBundle(name ?? "") }
        if !lines.isEmpty { return ok(lines.joined(separator: "; ")) }
        // Of one that was named something is wanted; of all that have a version on trial there may be none.
        return name.map { refusal("\($0) \(otherwise)") } ?? ok("no bundle has a version on trial")
    }

    func enableEvents(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try arguments.requireNone()
        let hasChanged = try eventService(arguments).enableTaskEvents()
        return ok("task events \(hasChanged ? "" : "already ")enabled")
    }

    func disableEvents(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try arguments.requireNone()
        let hasChanged = try eventService(arguments).disableTaskEvents()
        return ok("task events \(hasChanged ? "" : "already ")disabled")
    }

    func heartbeat(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        eventService?.heartbeat()
        return .value(.null)
    }

    /// Taskhost's workers stand for no election, and vote in none.
    func election(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try arguments.require("id", "topic")
        return .value(.null)
    }

    private func eventService(_ arguments: CommandArguments) throws(CommandError) -> EventService {
        if let eventService { return eventService }
        throw CommandError(
            "RuntimeError",
            "\(arguments.method): this broker carries no events, and this worker has no socket")
    }

    func shutDown(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        log(.info, "shutdown was asked for by remote control")
        engine.shutDown()
        return .answered(nil)
    }
}
