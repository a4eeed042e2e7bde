import CeleryWire
import Client
import Foundation
import LocalSocket
import Logging
import Loop
import Ports
import TaskhostJSON

/// One errand of the command line: connect, do it, close, leave. Runs the loop on the calling thread.
final class ClientSession {
    let loop: EpollLoop
    let client: TaskClient
    let broker: (any Broker)?
    let hasStore: Bool
    /// Where results of what is sent here are to go, if the store needs it.
    let replyTo: String?
    let events: (any EventSource)?
    /// Once connected, it waits for a broker that is lost to come back.
    var outlivesLosses = false
    let controlExchange: String
    private var wasReady = false
    private var failure: CommandFailure?
    private var closing = false
    private var failuresLeft: Int
    private var limit: (any LoopTimer)?

    /// - Parameters:
    ///   - needsBroker: false: results only; nothing is sent.
    ///   - needsControl: orders are given to all workers.
    ///   - needsReplies: and they are to answer.
    ///   - needsEvents: what workers tell monitors is to be heard.
    ///   - hosts: the broker is left out, whatever is needed: these hosts are spoken to.
    init(
        _ configuration: Configuration, needsBroker: Bool, needsStore: Bool, needsControl: Bool = false,
        needsReplies: Bool = false, needsEvents: Bool = false, hosts: LocalHostsAddress? = nil
    ) throws(CommandFailure) {
        do {
            loop = try EpollLoop()
        } catch {
            throw CommandFailure(.failure, "\(error)")
        }
        controlExchange = configuration.controlExchange
        let adapters = Adapters(loop: loop, configuration: configuration) { level, line in
            if level >= 2 { Console.remark("taskhost: \(line)") }
        }
        if let hosts {
            let local = LocalHosts(sockets: hosts.sockets, loop: loop)
            (broker, hasStore, replyTo, failuresLeft) = (nil, false, nil, 1)
            events = needsEvents ? LocalEventSource(hosts: local, loop: loop) : nil
            client = TaskClient(
                broker: nil, store: nil, control: LocalControl(hosts: local), origin: Self.origin)
            return
        }
        let store = needsStore ? try adapters.store() : nil
        broker = needsBroker || (needsStore && configuration.results == .rpc) ? try adapters.broker() : nil
        hasStore = store != nil
        replyTo = store?.replyTo
        var control: (any ControlChannel)?
        if needsReplies || (needsControl && !configuration.broker.isAMQP) { control = try adapters.control() }
        events = needsEvents ? try adapters.eventSource() : nil
        client = TaskClient(
            broker: broker, store: store, control: control, origin: Self.origin,
            commands: try configuration.commandFormats())
        if case .amqp(let urls) = configuration.broker { failuresLeft = urls.count } else { failuresLeft = 1 }
    }

    private static var origin: String { "taskhost-\(getpid())@\(ProcessInfo.processInfo.hostName)" }

    /// Connects, does the work, and returns when it has called `finish`.
    func run(_ work: @escaping () -> Void) throws(CommandFailure) {
        client.connect { [unowned self] in
            wasReady = true
            work()
        } trouble: { [unowned self] in
            note($0)
        }
        loop.run()
        if let failure { throw failure }
    }

    /// A question that can't be signed, and is to be, ends the errand.
    func ask(_ question: ControlQuestion, within seconds: Double, done: @escaping ([JSONMember]) -> Void) {
        do throws(WireError) {
            try client.ask(question, within: seconds, on: loop, controlExchange: controlExchange, done: done)
        } catch {
            finish(.configuration(error.detail, fix: "set key and certificate in [security]"))
        }
    }

    /// Ends the errand; later calls change nothing.
    func finish(_ failure: CommandFailure? = nil) {
        guard !closing else { return }
        closing = true
        self.failure = failure
        limit?.cancel()
        // Closing waits for the other side; an unreachable one must not keep us.
        _ = loop.schedule(afterSeconds: 6) { [loop] in loop.stop() }
        // In a turn of its own: a link is not to be closed from within its own callback.
        _ = loop.schedule(afterSeconds: 0) { [client, loop] in client.close { loop.stop() } }
    }

    /// Ends the errand with a failure after so many seconds.
    func limit(seconds: Double, _ failure: @escaping () -> CommandFailure) {
        limit = loop.schedule(afterSeconds: seconds) { [unowned self] in finish(failure()) }
    }

    /// A person waits: one failed attempt per address is enough to say so.
    private func note(_ trouble: ClientTrouble) {
        switch trouble {
        case .refused(let refusal):
            finish(CommandFailure(.unavailable, refusal.detail, fix: refusal.fix ?? Self.brokerFix))
        case .storeDown(let reason):
            finish(
                CommandFailure(
                    .unavailable, "result store: \(reason)",
                    fix: "start it, or name another with --result-backend (or CELERY_RESULT_BACKEND)"))
        case .brokerDown(let reason) where outlivesLosses && wasReady:
            Console.remark("taskhost: broker: \(reason); trying again")
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
