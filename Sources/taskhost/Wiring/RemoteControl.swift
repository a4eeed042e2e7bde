// Remote control of a worker: its channel, and what it may tell of the configuration.
import Control
import Loop
import Ports
import RabbitMQ
import TaskhostJSON

enum RemoteControl {
    static func service(
        over channel: any ControlChannel, of engine: any EngineControl, _ configuration: Configuration,
        events: EventService?, loop: EpollLoop, log: @escaping (Int, String) -> Void
    ) -> ControlService {
        let facts = ControlFacts(
            version: TaskhostCommand.version, broker: brokerFacts(configuration.broker),
            resultStore: resultStore(configuration.results),
            settings: { settings(of: configuration, withDefaults: $0) })
        return ControlService(channel: channel, engine: engine, facts: facts, loop: loop, events: events, log: log)
    }

    static func events(
        over channel: (any EventChannel)?, of engine: any EngineControl, _ configuration: Configuration, loop: EpollLoop
    ) -> EventService? {
        channel.map {
            EventService(
                channel: $0, engine: engine, loop: loop,
                options: EventOptions(
                    version: TaskhostCommand.version, sendsTaskEvents: configuration.sendsTaskEvents,
                    heartbeatSeconds: configuration.heartbeat))
        }
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

    private static func resultStore(_ results: ResultsAddress) -> String {
        switch results {
        case .none: "disabled"
        case .rpc: "rpc://"
        case .redis(let url), .embedded(let url): withoutSecrets(url)
        }
    }

    /// By Celery's names, so that monitors find them.
    private static func settings(of configuration: Configuration, withDefaults: Bool) -> [JSONMember] {
        func seconds(_ value: Double?) -> JSON { value.map { .double($0) } ?? nil }
        let broker: String =
            switch configuration.broker {
            case .amqp(let urls): urls.map(withoutSecrets).joined(separator: ";")
            case .embedded(let url), .redis(let url): withoutSecrets(url)
            }
        let all: [(String, JSON)] = [
            ("broker_url", .string(broker)), ("result_backend", .string(resultStore(configuration.results))),
            ("worker_concurrency", .int(Int64(configuration.slotsAtFirst))),
            ("worker_prefetch_multiplier", configuration.prefetchMultiplier.map { .int(Int64($0)) } ?? nil),
            ("task_acks_late", .bool(configuration.acksLate)),
            ("task_track_started", .bool(configuration.trackStarted)),
            ("task_ignore_result", .bool(configuration.ignoreResult)),
            ("task_soft_time_limit", seconds(configuration.softTimeLimit)),
            ("task_time_limit", seconds(configuration.timeLimit)),
            ("result_expires", seconds(configuration.resultExpires)),
            ("result_extended", .bool(configuration.resultExtended)),
        ]
        return all.filter { withDefaults || !$0.1.isNull }.map { JSONMember(key: $0.0, value: $0.1) }
    }
}
