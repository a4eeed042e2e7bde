// Remote control without its transport: a request in, a reply out.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

/// Pure but for what it asks of the engine. On the loop.
final class CommandHandler {
    enum Reaction {
        /// Not for this node.
        case ignored
        /// Dropped, because it is not usable; the sentence is for the log.
        case dropped(String)
        case handled(RemoteCommand.Response)
    }

    let engine: any EngineControl
    let facts: ControlFacts
    /// Celery's event clock (`clock`, `stats`, `hello`).
    let events: LamportClock
    /// nil: this broker carries none.
    let eventService: EventService?
    /// The mailbox's own, sent in the header of replies.
    let mailbox = LamportClock()
    let policy: ControlPolicy
    private let commands: CommandTable
    var memory = MemorySamples()
    private var fresh = FreshCommands()
    /// Whole seconds since the start.
    let uptime: () -> Int
    let log: (LogLevel, String) -> Void
    let loop: any EventLoop

    init(
        engine: any EngineControl, facts: ControlFacts, events: EventService?, policy: ControlPolicy,
        commands: CommandTable = .all, loop: any EventLoop, log: @escaping (LogLevel, String) -> Void
    ) {
        let begin = loop.clocks.monotonic
        self.loop = loop
        uptime = { Int(loop.clocks.monotonic.seconds(since: begin)) }
        self.engine = engine
        self.policy = policy
        self.commands = commands
        eventService = events
        self.events = events?.clock ?? LamportClock()
        self.facts = facts
        self.log = log
    }

    /// - Parameter now: Unix time.
    func handle(_ request: ControlRequest, now: Double) -> Reaction {
        events.forward()
        mailbox.adjust(to: request.clock)
        switch isForUs(request) {
        case .matches: break
        case .differs: return .ignored
        case .unusable(let reason): return .dropped(reason)
        }
        do throws(CommandError) {
            return .handled(try perform(request, now: now))
        } catch {
            log(.warning, "Remote command \(request.method) failed: \(error.repr)")
            return .handled(.value(["error": .string(error.repr)]))
        }
    }

    private func perform(_ request: ControlRequest, now: Double) throws(CommandError) -> RemoteCommand.Response {
        guard let command = commands[request.method] else { throw CommandError("KeyError", request.method) }
        let arguments = CommandArguments(method: request.method, members: request.arguments) { [self] in
            proof(of: request, now: now)
        }
        if command.effect == .changes { try policy.admit(request.method, proof: arguments.proof()) }
        return try command.handler(self)(arguments)
    }

    private func proof(of request: ControlRequest, now: Double) -> ControlProof {
        guard request.isSigned else { return .none }
        return switch fresh.check(request.body, now: now) {
        case .unmarked: .signed
        case .fresh: .fresh
        case .stale(let reason): .stale(reason)
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
}
