// Remote control of a worker: its channel, and what it may tell of the configuration.
import CeleryWire
import Configuration
import Control
import Glibc
import LocalSocket
import Loop
import Output
import Ports
import Settings
import TaskModel
import TaskhostJSON

enum RemoteControl {
    static func service(
        over channel: any ControlChannel, of engine: any EngineControl, _ configuration: Configuration,
        broker: any BrokerTransport, policy: ControlPolicy, isLocal: Bool, bodyFormats: any BodyFormats,
        events: EventService?,
        surroundings: RemoteSettings.Surroundings, loop: EpollLoop, log: @escaping (LogLevel, String) -> Void
    ) -> ControlService {
        let broker = broker.facts.fields.map { JSONMember(key: $0.key, value: JSON($0.value)) }
        let settings = RemoteSettings(
            configuration, surroundings, heartbeat: broker.first { $0.key == "heartbeat" }?.value)
        let facts = ControlFacts(
            version: ProgramVersion.text, broker: broker, resultStore: settings.results,
            usualSignal: configuration[Settings.worker.treatsTermAsQuit] ? SIGQUIT : SIGTERM,
            settings: { settings.members(withDefaults: $0) })
        return ControlService(
            channel: channel, engine: engine, facts: facts, loop: loop, events: events,
            policy: policy, formats: formats(of: configuration, by: bodyFormats),
            controlExchange: configuration[Settings.control.exchange],
            // A socket replies to its own client, whatever that says.
            replies: isLocal
                ? nil
                : ControlReplies(
                    controlExchange: configuration[Settings.control.exchange], targets: configuration.replyTargets),
            log: log)
    }

    /// nil: no channel carries them.
    static func events(
        over channels: [any EventChannel], of engine: any EngineControl, _ configuration: Configuration, loop: EpollLoop
    ) -> EventService? {
        guard !channels.isEmpty else { return nil }
        return EventService(
            channels: channels, engine: engine, loop: loop,
            options: EventOptions(
                version: ProgramVersion.text, sendsTaskEvents: configuration[Settings.worker.taskEvents],
                heartbeatSeconds: configuration[Settings.worker.heartbeat]))
    }

    /// This user's processes on this machine need no broker. nil: without a socket.
    static func localServer(
        _ configuration: Configuration, broker: String, loop: EpollLoop, log: (LogLevel, String) -> Void
    ) throws(CommandFailure) -> LocalServer? {
        guard configuration.socket != "none" else { return nil }
        let facts = HostFacts(
            version: ProgramVersion.text, node: configuration.nodeName, pid: getpid(), broker: broker)
        do {
            return try LocalServer(at: configuration.socket, facts: facts, loop: loop)
        } catch {
            guard configuration.socket == nil else { throw .configuration(error.detail, fix: error.fix) }
            // It is optional: work goes on without.
            log(.warning, "taskhost … --local will not find this worker: \(error)")
            return nil
        }
    }

    /// Commands come in what tasks may come in; signed ones wherever there is something to check them by.
    private static func formats(of configuration: Configuration, by formats: any BodyFormats) -> ControlFormats {
        let isSigning = configuration[Settings.security.certStore] != nil
        return ControlFormats(
            formats,
            accepted: configuration[Settings.wire.acceptContent].compactMap(ContentType.named)
                + (isSigning ? [.auth] : []))
    }
}
