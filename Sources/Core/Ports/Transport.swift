// What an outside system is to taskhost: one face for brokers, result stores and places of shared limits.
public import TaskModel

/// One outside system, at one address. What it can be used for it says by what else it conforms to: `BrokerTransport`,
/// `DirectResultTransport`, `ResultTransport`, `LimitTransport`.
///
/// Nothing connects before one of its parts is started. All on the loop's thread.
public protocol Transport: AnyObject, SendableMetatype {
    /// As OpenTelemetry calls it (`messaging.system`, `db.system`): "rabbitmq".
    static var name: String { get }
    /// For sentences: "RabbitMQ".
    static var label: String { get }
    /// Of its addresses, in lower case; the usual one first.
    static var schemes: [String] { get }
    /// How its addresses begin, for help: "redis(s)://".
    static var shortForm: String { get }
    /// How its addresses are written, for help: "redis(s)://HOST:PORT/DB".
    static var forms: [String] { get }
    /// One setting may name several addresses, separated by `;`, which are tried in turn.
    static var takesAlternates: Bool { get }
    /// Other machines cannot use it.
    static var servesOneMachine: Bool { get }

    /// What can be said of addresses before they are used; `init` reads them in full.
    static func check(_ urls: [String]) throws(TransportFailure)

    /// - Parameter urls: at least one; only one unless it `takesAlternates`.
    init(
        _ urls: [String], on loop: any EventLoop, options: TransportOptions, log: @escaping (LogLevel, String) -> Void
    ) throws(TransportFailure)

    /// As they were given, secrets and all.
    var urls: [String] { get }
    /// Its address, read and without secrets.
    var description: String { get }
    /// Equal for all addresses of the same place, however they are written: it is not opened twice.
    var place: String { get }

    /// For `taskhost doctor`; changes nothing there. `done` is called once, if it answers.
    func examine(_ question: ExaminationQuestion, done: @escaping ([Finding]) -> Void)
    /// It did not answer in time.
    func unanswered(_ question: ExaminationQuestion) -> Finding
}

extension Transport {
    public static var takesAlternates: Bool { false }
    public static var servesOneMachine: Bool { false }
    public static func check(_ urls: [String]) throws(TransportFailure) {}
    public var place: String { description }

    public func unanswered(_ question: ExaminationQuestion) -> Finding {
        .fail(question.subject, "\(description) does not answer", fix: "check that \(Self.label) runs there")
    }
}

/// A system that carries messages.
public protocol BrokerTransport: Transport {
    /// Of two messages that wait the one with the smaller priority number is taken first.
    static var lowestPriorityFirst: Bool { get }
    /// Orders to workers can be published like messages; a control channel is needed for their replies only.
    static var ordersAreMessages: Bool { get }
    /// What may keep a worker from subscribing to remote control; a question that the operator can answer.
    static var subscriptionHint: String { get }
    /// What to warn of when a worker starts, by the hard limits of its tasks.
    /// - Parameter consumerTimeout: seconds that the broker lets a message be held, as it was set; nil: for ever.
    static func startWarning(_ limits: [TaskTimeLimit], consumerTimeout: Double?) -> String?

    func broker() -> any Broker
    /// Broadcasts go the way of the broker, over the same connections or file.
    func control() -> any ControlChannel
    /// nil: it carries no events; hosts tell of them over their own sockets.
    func events() -> (any EventChannel)?
    /// The same from the other side: what a monitor receives.
    func eventSource() -> (any EventSource)?
    /// Who leads is settled where the messages lie.
    func leadership() -> any Leadership

    /// What `stats` tells of it, by Celery's names.
    var facts: FieldTable { get }
    /// Whether a host that calls its broker this (`Broker.description`) serves the same.
    func isServed(byHostOf description: String) -> Bool
}

extension BrokerTransport {
    public static var lowestPriorityFirst: Bool { false }
    public static var ordersAreMessages: Bool { false }
    public static var subscriptionHint: String { "is its node name in use already?" }
    public static func startWarning(_ limits: [TaskTimeLimit], consumerTimeout: Double?) -> String? { nil }
    public var facts: FieldTable {
        ["hostname": .string(ConnectionURL.redacted(urls[0])), "transport": .string(Self.name)]
    }
    public func isServed(byHostOf description: String) -> Bool { description == self.description }
}

/// A broker that can carry results to the client that asked, and keeps none.
public protocol DirectResultTransport: BrokerTransport {
    /// Of the address that stands for that: "rpc".
    static var directScheme: String { get }

    func directResults(_ options: ResultOptions) -> any ResultStore
}

/// A system that keeps results.
public protocol ResultTransport: Transport {
    /// How results are kept by a broker of this system, for doctor: "by the broker's Redis".
    static var besideBroker: String { get }

    func results(_ options: ResultOptions) -> any ResultStore
}

/// A system that keeps limits which all workers share.
public protocol LimitTransport: Transport {
    /// - Parameter keyPrefix: before all names; nil: as the address says.
    func limits(keyPrefix: String?, log: @escaping (LogLevel, String) -> Void) -> any SharedLimits
}
