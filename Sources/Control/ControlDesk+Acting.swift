// Commands that change something.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

extension ControlDesk {
    func ok(_ text: String) -> JSON { ["ok": .string(text)] }
    func refusal(_ text: String) -> JSON { ["error": .string(text)] }

    func revoke(_ arguments: CommandArguments) throws(CommandError) -> JSON {
        try arguments.require("task_id")
        return try revoke(arguments, terminate: arguments.flag("terminate"))
    }

    func terminate(_ arguments: CommandArguments) throws(CommandError) -> JSON {
        try arguments.require("signal", "task_id")
        return try revoke(arguments, terminate: true)
    }

    private func revoke(_ arguments: CommandArguments, terminate: Bool) throws(CommandError) -> JSON {
        var ids: [String] = []
        for id in arguments.texts("task_id") where !ids.contains(id) { ids.append(id) }
        // Celery reads the signal only after it has revoked; a command that is wrong in part does nothing here.
        let signal = terminate ? try SignalName.number(arguments["signal"], usual: facts.usualSignal) : nil
        let ended = engine.revoke(ids, terminate: signal)
        guard terminate else { return ok("tasks \(PythonText.set(ids)) flagged as revoked") }
        return ok(ended.isEmpty ? "terminate: tasks unknown" : "terminate: \(ended.joined(separator: ", "))")
    }

    func revokeByStamps(_ arguments: CommandArguments) throws(CommandError) -> JSON {
        try arguments.require("headers")
        let signal = try SignalName.number(arguments["signal"], usual: facts.usualSignal)
        let headers = try stampHeaders(arguments["headers"] ?? .null)
        let stamps = headers.map { RevokedStamp(name: $0.key, values: CommandArguments.texts($0.value)) }
        let terminates = arguments.flag("terminate")
        let ended = engine.revoke(stamps: stamps, terminate: terminates ? signal : nil)
        let told = PythonRepr.repr(.object(headers))
        guard terminates else { return ok("headers \(told) flagged as revoked, but not terminated") }
        guard !ended.isEmpty else { return ok("headers \(told) were not terminated") }
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

    func rateLimit(_ arguments: CommandArguments) throws(CommandError) -> JSON {
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
            return try told(error)
        }
        let isOff = limit == nil || limit == "" || limit == "0" || limit == "0.0"
        return ok(isOff ? "rate limit disabled successfully" : "new rate limit set successfully")
    }

    func timeLimit(_ arguments: CommandArguments) -> JSON {
        do throws(ControlRefusal) {
            try engine.setTimeLimits(
                soft: arguments["soft"]?.number, hard: arguments["hard"]?.number,
                task: arguments["task_name"]?.text ?? "")
        } catch {
            return refusal("unknown task")
        }
        return ok("time limits set successfully")
    }

    private func told(_ failure: ControlRefusal) throws(CommandError) -> JSON {
        switch failure {
        case .unknownTask, .autoscales, .autoscalesNot, .restartsNot: return refusal("unknown task")
        case .unknownUnit(let unit): throw CommandError("KeyError", unit)
        case .invalidRate(let text):
            let reason = CommandError("ValueError", "could not convert string to float: \(PythonText.repr(text))")
            return refusal("Invalid rate limit string: \(reason.repr)")
        }
    }

    func addConsumer(_ arguments: CommandArguments) throws(CommandError) -> JSON {
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

    func cancelConsumer(_ arguments: CommandArguments) throws(CommandError) -> JSON {
        try arguments.require("queue")
        let name = arguments.texts("queue").first ?? ""
        engine.cancelConsumer(queue: name)
        return ok("no longer consuming from \(name)")
    }

    /// Commands of our own. A worker that does not consume the queue has nothing to do, and says so: that is no error
    /// when all are told.
    func pauseOrResume(pauses: Bool, _ arguments: CommandArguments) throws(CommandError) -> JSON {
        try arguments.require("queue")
        let name = arguments.texts("queue").first ?? ""
        let word = pauses ? "paused" : "resumed"
        return switch pauses ? engine.pause(queue: name) : engine.resume(queue: name) {
        case .done: ok("\(word) \(name)")
        case .already: ok(pauses ? "\(name) is paused already" : "\(name) is not paused")
        case .notConsumed: ok("not consuming from \(name)")
        }
    }

    func turnEvents(on: Bool, _ arguments: CommandArguments) throws(CommandError) -> JSON {
        try arguments.requireNone()
        let service = try eventService(arguments)
        let hasChanged = on ? service.enableTaskEvents() : service.disableTaskEvents()
        return ok("task events \(hasChanged ? "" : "already ")\(on ? "enabled" : "disabled")")
    }

    func heartbeat() -> JSON {
        eventService?.heartbeat()
        return .null
    }

    private func eventService(_ arguments: CommandArguments) throws(CommandError) -> EventService {
        if let eventService { return eventService }
        throw CommandError(
            "RuntimeError",
            "\(arguments.method): the embedded broker carries no events, and this worker has no socket")
    }

    func shutDown() -> JSON? {
        log(1, "shutdown was asked for by remote control")
        engine.shutDown()
        return nil
    }
}
