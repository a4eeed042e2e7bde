import CeleryWire
package import Client
package import Configuration
import Glibc
import Linux
import LocalSocket
package import Loop
package import Output
package import Ports
import Settings
import TaskModel
package import TaskhostJSON
import Transports

/// What one command does at broker and result store: connect, do it, close. Runs the loop on the calling thread.
package final class ClientSession {
    package let loop: EpollLoop
    package let client: TaskClient
    package let broker: (any Broker)?
    package let hasStore: Bool
    /// Where results of what is sent here are to go, if the store needs it.
    package let replyTo: String?
    package let events: (any EventSource)?
    /// Once connected, it waits for a broker that is lost to come back.
    package var outlivesLosses = false
    package let controlExchange: String
    private var wasReady = false
    private var reportedLosses = RepeatedReason()
    private var failure: CommandFailure?
    private var closing = false
    private var failuresLeft: Int
    private var limit: (any LoopTimer)?

    /// - Parameters:
    ///   - needsBroker: false: results only; nothing is sent.
    ///   - needsControl: commands are sent to all workers.
    ///   - needsReplies: and they are to reply.
    ///   - needsEvents: events of workers are to be received.
    ///   - hosts: the broker is left out, whatever is needed: these hosts are spoken to.
    package init(
        _ configuration: Configuration, needsBroker: Bool, needsStore: Bool, needsControl: Bool = false,
        needsReplies: Bool = false, needsEvents: Bool = false, hosts: LocalHostsAddress? = nil
    ) throws(CommandFailure) {
        do {
            loop = try EpollLoop()
        } catch {
            throw CommandFailure(.failure, "\(error)")
        }
        controlExchange = configuration[Settings.control.exchange]
        let systems = Systems(loop: loop, configuration: configuration) { level, line in
            if level >= .warning { Console.note("taskhost: \(line)") }
        }
        if let hosts {
            let local = LocalHosts(sockets: hosts.sockets, loop: loop)
            (broker, hasStore, replyTo, failuresLeft) = (nil, false, nil, 1)
            events = needsEvents ? LocalEventSource(hosts: local, loop: loop) : nil
            client = TaskClient(
                broker: nil, store: nil, control: LocalControl(hosts: local), origin: Self.origin)
            return
        }
        let store = needsStore ? try systems.results() : nil
        let sends = needsBroker || (needsStore && configuration.results.isDirect)
        let transport = sends || needsReplies || needsControl || needsEvents ? try systems.broker() : nil
        broker = sends ? transport?.broker() : nil
        hasStore = store != nil
        replyTo = store?.replyTo
        var control: (any ControlChannel)?
        if needsReplies || (needsControl && !configuration.broker.system.ordersAreMessages) {
            control = transport?.control()
        }
        if needsEvents, let transport {
            events = Self.events(of: transport, loop: loop)
        } else {
            events = nil
        }
        client = TaskClient(
            broker: broker, store: store, control: control, origin: Self.origin,
            commands: try configuration.commandFormats())
        failuresLeft = configuration.broker.urls.count
    }

    /// A broker that carries none: from this user's hosts on this machine that serve it.
    private static func events(of transport: any BrokerTransport, loop: EpollLoop) -> any EventSource {
        if let source = transport.eventSource() { return source }
        let hosts = LocalHosts(sockets: nil, loop: loop) { transport.isServed(byHostOf: $0.broker) }
        return LocalEventSource(hosts: hosts, loop: loop)
    }

    private static var origin: String { "taskhost-\(getpid())@\(ThisProcess.hostName)" }

    /// Connects, does the work, and returns when it has called `finish`.
    package func run(_ work: @escaping () -> Void) throws(CommandFailure) {
        client.connect { [unowned self] in
            wasReady = true
            work()
        } failed: { [unowned self] in
            note($0)
        }
        loop.run()
        if let failure { throw failure }
    }

    /// A question that can't be signed, and is to be, ends the session.
    package func ask(_ question: ControlQuestion, within seconds: Double, done: @escaping ([JSONMember]) -> Void) {
        do throws(WireError) {
            try client.ask(question, within: seconds, on: loop, controlExchange: controlExchange, done: done)
        } catch {
            finish(.configuration(error.detail, fix: "set key and certificate in [security]"))
        }
    }

    /// Several at once; replies in the order of the questions.
    package func ask(
        _ questions: [ControlQuestion], within seconds: Double, done: @escaping (_ replies: [[JSONMember]]) -> Void
    ) {
        var answers: [[JSONMember]] = Array(repeating: [], count: questions.count)
        var open = questions.count
        for (index, question) in questions.enumerated() {
            ask(question, within: seconds) { replies in
                answers[index] = replies
                open -= 1
                if open == 0 { done(answers) }
            }
        }
    }

    /// Why the broker takes nothing at present, if it said so.
    var blocked: String? { client.blocked }

    /// Why a question or an order was not taken in time.
    package var unanswered: CommandFailure {
        guard let blocked else {
            return CommandFailure(.unavailable, "the broker did not take the question within 10 s", fix: "try again")
        }
        return CommandFailure(
            .unavailable, "the broker takes no messages: \(blocked)",
            fix: "put the broker right; workers on this machine are reached without it: --local")
    }

    /// Why the confirmation of a message did not come in time.
    package func unconfirmed(after seconds: Double) -> CommandFailure {
        CommandFailure(
            .unavailable,
            blocked.map { "the broker takes no messages: \($0); this one is not confirmed" }
                ?? "the broker has not confirmed the message within \(seconds.plain) s",
            fix: "put the broker right, then look whether the task is there (taskhost result, or inspect query_task) "
                + "before it is sent again")
    }

    /// Ends the session; later calls change nothing.
    package func finish(_ failure: CommandFailure? = nil) {
        guard !closing else { return }
        closing = true
        self.failure = failure
        limit?.cancel()
        // Closing waits for the other side; an unreachable one must not keep us.
        _ = loop.schedule(afterSeconds: 6) { [loop] in loop.stop() }
        // In a turn of its own: a link is not to be closed from within its own callback.
        _ = loop.schedule(afterSeconds: 0) { [client, loop] in client.close { loop.stop() } }
    }

    /// Ends the session with a failure after so many seconds.
    package func limit(seconds: Double, _ failure: @escaping () -> CommandFailure) {
        limit = loop.schedule(afterSeconds: seconds) { [unowned self] in finish(failure()) }
    }

    /// A person waits: one failed attempt per address is enough to say so.
    private func note(_ problem: ConnectionProblem) {
        switch problem {
        case .refused(let refusal):
            finish(CommandFailure(.unavailable, refusal.detail, fix: refusal.fix ?? Self.brokerFix))
        case .storeDown(let reason):
            finish(
                CommandFailure(
                    .unavailable, "result store: \(reason)",
                    fix: "start it, or name another with --result-backend (or CELERY_RESULT_BACKEND)"))
        case .brokerBlocked(let reason):
            Console.note("taskhost: the broker takes no messages at present (\(reason)); waiting")
        case .brokerDown(let reason) where outlivesLosses && wasReady:
            guard reportedLosses.isWorthReporting(reason, at: loop.clocks.monotonic) else { return }
            Console.note("taskhost: broker: \(reason); trying again")
        case .brokerDown(let reason):
            failuresLeft -= 1
            if failuresLeft <= 0 {
                finish(CommandFailure(.unavailable, "broker: \(reason)", fix: Self.brokerFix))
            }
        }
    }

    private static let brokerFix =
        "start it, or name another with --broker (or CELERY_BROKER_URL); without any the embedded broker is used"
}

extension CommandFailure {
    /// Why a task was not sent.
    package static func unsent(_ failure: SendFailure) -> CommandFailure {
        switch failure {
        case .broker(let failure): unavailable(failure, "not sent")
        case .store(let failure): unavailable(failure)
        case .noChords: CommandFailure(.configuration, failure.description)
        }
    }
}
