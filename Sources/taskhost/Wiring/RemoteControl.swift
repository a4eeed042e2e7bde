// Remote control of a worker: its channel, and what it may tell of the configuration.
import CeleryWire
import Control
import Glibc
import LocalSocket
import Loop
import Ports
import RabbitMQ
import TaskhostJSON

enum RemoteControl {
    static func service(
        over channel: any ControlChannel, of engine: any EngineControl, _ configuration: Configuration,
        policy: ControlPolicy, bodyFormats: any BodyFormats, events: EventService?,
        surroundings: RemoteSettings.Surroundings, loop: EpollLoop, log: @escaping (Int, String) -> Void
    ) -> ControlService {
        let broker = brokerFacts(configuration.broker)
        let settings = RemoteSettings(
            configuration, surroundings, heartbeat: broker.first { $0.key == "heartbeat" }?.value)
        let facts = ControlFacts(
            version: TaskhostCommand.version, broker: broker, resultStore: settings.results,
            usualSignal: configuration.treatsTermAsQuit ? SIGQUIT : SIGTERM,
            settings: { settings.members(withDefaults: $0) })
        return ControlService(
            channel: channel, engine: engine, facts: facts, loop: loop, events: events,
            policy: policy, formats: formats(of: configuration, by: bodyFormats),
            controlExchange: configuration.controlExchange, log: log)
    }

    /// nil: nobody could hear them.
    static func events(
        over channels: [any EventChannel], of engine: any EngineControl, _ configuration: Configuration, loop: EpollLoop
    ) -> EventService? {
        guard !channels.isEmpty else { return nil }
        return EventService(
            channels: channels, engine: engine, loop: loop,
            options: EventOptions(
                version: TaskhostCommand.version, sendsTaskEvents: configuration.sendsTaskEvents,
                heartbeatSeconds: configuration.heartbeat))
    }

    /// This user's processes on this machine need no broker. nil: without a socket.
    static func localServer(
        _ configuration: Configuration, broker: String, loop: EpollLoop, log: (Int, String) -> Void
    ) throws(CommandFailure) -> LocalServer? {
        guard configuration.socket != "none" else { return nil }
        let facts = HostFacts(
            version: TaskhostCommand.version, node: configuration.nodeName, pid: getpid(), broker: broker)
        do {
            return try LocalServer(at: configuration.socket, facts: facts, loop: loop)
        } catch {
            guard configuration.socket == nil else { throw .configuration(error.detail, fix: error.fix) }
            // Nobody asked for it: work goes on without.
            log(2, "taskhost … --local will not find this worker: \(error)")
            return nil
        }
    }

    /// Commands come in what tasks may come in; signed ones wherever there is something to check them by.
    private static func formats(of configuration: Configuration, by formats: any BodyFormats) -> ControlFormats {
        let isSigning = configuration.security.certificateStore != nil
        return ControlFormats(
            formats, accepted: configuration.acceptContent.compactMap(ContentType.named) + (isSigning ? [.auth] : []))
    }

    /// As Celery's `stats` tells them; the first of several addresses, the others as alternates.
    private static func brokerFacts(_ broker: BrokerAddress) -> [JSONMember] {
        guard case .amqp(let urls) = broker, let first = urls.first else { return otherFacts(broker) }
        do {
            let address = try RabbitMQAddress(parsing: first)
            let facts: [(String, JSON)] = [
                ("hostname", .string(address.host)), ("userid", .string(address.user)),
                ("virtual_host", .string(address.vhost)), ("port", .int(Int64(address.port))), ("insist", false),
                ("ssl", .bool(address.tls != nil)), ("transport", "amqp"),
                ("connect_timeout", .double(address.connectTimeoutSeconds ?? 5)), ("transport_options", [:]),
                ("login_method", "PLAIN"), ("uri_prefix", nil),
                ("heartbeat", .int(Int64(address.heartbeatSeconds ?? 10))), ("failover_strategy", "round-robin"),
                ("alternates", .array(urls.dropFirst().map { .string(withoutSecrets($0)) })),
                ("credential_provider", nil),
            ]
            return facts.map { JSONMember(key: $0.0, value: $0.1) }
        } catch {
            // The broker was made from this address, so it is well-formed.
            return [JSONMember(key: "hostname", value: .string(withoutSecrets(first)))]
        }
    }

    private static func otherFacts(_ broker: BrokerAddress) -> [JSONMember] {
        let (url, transport) =
            switch broker {
            case .embedded(let url): (url, "sqlite")
            case .redis(let url): (url, "redis")
            case .amqp(let urls): (urls.first ?? "", "amqp")
            }
        return [
            JSONMember(key: "hostname", value: .string(withoutSecrets(url))),
            JSONMember(key: "transport", value: .string(transport)),
        ]
    }
}
