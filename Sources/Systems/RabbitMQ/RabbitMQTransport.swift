// RabbitMQ as the outside system it is to all others: broker, and carrier of results over rpc://.
public import Ports
public import TaskModel

public final class RabbitMQTransport: DirectResultTransport {
    public static let name = "rabbitmq"
    public static let label = "RabbitMQ"
    public static let schemes = RabbitMQAddress.schemes
    public static let shortForm = "amqp(s)://"
    public static let forms = ["amqp(s)://USER:PASSWORD@HOST:PORT/VHOST"]
    public static let takesAlternates = true
    public static let directScheme = "rpc"
    /// The exchange of remote control is published to like any other.
    public static let ordersAreMessages = true

    public let urls: [String]
    private let addresses: [RabbitMQAddress]
    private let loop: any EventLoop
    /// One for all parts: they share its connections.
    private let shared: RabbitMQBroker

    public static func check(_ urls: [String]) throws(TransportFailure) {
        for url in urls where !schemes.contains(ConnectionURL.scheme(of: url)) {
            throw TransportFailure(
                "\(ConnectionURL.redacted(url)) cannot stand beside an AMQP address",
                fix: "alternates separated by `;` must all be amqp:// or amqps://")
        }
    }

    public init(
        _ urls: [String], on loop: any EventLoop, options: TransportOptions, log: @escaping (LogLevel, String) -> Void
    ) throws(TransportFailure) {
        self.urls = urls
        self.loop = loop
        var addresses: [RabbitMQAddress] = []
        for url in urls {
            do throws(RabbitMQAddressError) {
                addresses.append(try RabbitMQAddress(parsing: url))
            } catch {
                throw TransportFailure("\(ConnectionURL.redacted(url)): \(error.detail)")
            }
        }
        for address in addresses where !address.ignored.isEmpty {
            log(.warning, "\(address): parameters without meaning here: \(address.ignored.joined(separator: ", "))")
        }
        self.addresses = addresses
        var tuning = RabbitMQOptions()
        tuning.delayQueueKind = options.delayQueueKind
        tuning.deadQueueKind = options.deadQueueKind
        shared = RabbitMQBroker(addresses: addresses, loop: loop, options: tuning, log: log)
    }

    public var description: String { shared.description }

    public func broker() -> any Broker { shared }
    public func control() -> any ControlChannel { RabbitMQControl(broker: shared) }
    public func events() -> (any EventChannel)? { RabbitMQEvents(broker: shared) }
    public func eventSource() -> (any EventSource)? { RabbitMQEventSource(broker: shared) }
    public func leadership() -> any Leadership { RabbitMQLeadership(broker: shared) }

    public func directResults(_ options: ResultOptions) -> any ResultStore {
        RPCResults(broker: shared, codec: options.codec, targets: options.replyTargets)
    }

    /// The first of several addresses, the others as alternates.
    public var facts: FieldTable {
        let address = addresses[0]
        return [
            "hostname": .string(address.host), "userid": .string(address.user), "virtual_host": .string(address.vhost),
            "port": .int(Int64(address.port)), "insist": .bool(false), "ssl": .bool(address.tls != nil),
            "transport": .string("amqp"), "connect_timeout": .double(address.connectTimeoutSeconds ?? 5),
            "transport_options": .table([:]), "login_method": .string("PLAIN"), "uri_prefix": .null,
            "heartbeat": .int(Int64(address.heartbeatSeconds ?? 10)), "failover_strategy": .string("round-robin"),
            "alternates": .array(urls.dropFirst().map { .string(ConnectionURL.redacted($0)) }),
            "credential_provider": .null,
        ]
    }

    public static func startWarning(_ limits: [TaskTimeLimit], consumerTimeout: Double?) -> String? {
        consumerTimeout.flatMap { ConsumerTimeoutCheck(limits: limits).warningAtStart($0) }
    }

    public func examine(_ question: ExaminationQuestion, done: @escaping ([Finding]) -> Void) {
        let check = BrokerCheck(question: question, description: description, vhost: addresses[0].vhost)
        shared.examine(queues: question.queues.map(\.name)) { done(check.findings($0)) }
    }

    public func unanswered(_ question: ExaminationQuestion) -> Finding {
        .fail(question.subject, "\(description) does not answer", fix: BrokerCheck.fix)
    }
}
