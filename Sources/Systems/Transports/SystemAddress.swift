// Which outside system an address names, and what goes with it when nothing is said. Told by the scheme alone: the
// system reads the rest when it is opened.
public import Ports
import TaskModel

/// - Parameter System: a metatype: `any BrokerTransport.Type` …
public struct SystemAddress<System: Sendable>: Sendable, Equatable {
    public let system: System
    /// At least one; several are tried in turn.
    public let urls: [String]

    /// Each scheme has one system.
    public static func == (one: Self, other: Self) -> Bool { one.urls == other.urls }

    public func redacted(mask: String = "***") -> String {
        urls.map { ConnectionURL.redacted($0, mask: mask) }.joined(separator: ";")
    }

    /// nil: none of these systems has such addresses.
    init?(_ text: String, among kinds: [System]) throws(TransportFailure) {
        guard let system = Transports.system(of: text, among: kinds), let kind = system as? any Transport.Type else {
            return nil
        }
        let urls = kind.takesAlternates ? ConnectionURL.split(text) : [text]
        try kind.check(urls)
        self.init(system, urls)
    }

    init(_ system: System, _ urls: [String]) {
        self.system = system
        self.urls = urls
    }

    /// The same place in another role; nil: the system has not got that role.
    func role<Other>(as other: Other.Type) -> SystemAddress<Other>? {
        (system as? Other).map { SystemAddress<Other>($0, urls) }
    }
}

public typealias BrokerAddress = SystemAddress<any BrokerTransport.Type>
public typealias StoreAddress = SystemAddress<any ResultTransport.Type>
public typealias LimitAddress = SystemAddress<any LimitTransport.Type>

extension BrokerAddress {
    /// - Parameter text: nil: `Transports.defaultBroker`.
    public init(_ text: String?) throws(TransportFailure) {
        let text = text ?? Transports.defaultBroker
        guard let address = try Self(text, among: Transports.brokers) else {
            throw TransportFailure(
                "no broker for \"\(ConnectionURL.redacted(text))\"",
                fix: "write " + Transports.list(Transports.brokers.flatMap { $0.forms }))
        }
        self = address
    }

    /// The system, if it can carry results to the client that asked.
    public var direct: (any DirectResultTransport.Type)? { system as? any DirectResultTransport.Type }
}

public enum ResultsAddress: Sendable, Equatable {
    case none
    /// Answers go back through the broker, to the client that asked.
    case direct(scheme: String)
    case kept(StoreAddress)

    /// - Parameter text: nil: what goes with the broker: the same place, or its own way back.
    public init(_ text: String?, broker: BrokerAddress) throws(TransportFailure) {
        guard let text else {
            self = Self.beside(broker)
            return
        }
        let scheme = ConnectionURL.scheme(of: text)
        if ["none", "disabled"].contains(scheme) {
            self = .none
        } else if let carrier = Transports.direct.first(where: { $0.directScheme == scheme }) {
            guard broker.system.name == carrier.name else {
                throw TransportFailure(
                    "\(scheme):// sends results through \(carrier.label), and the broker is another",
                    fix: "leave the result backend out, or name an \(carrier.schemes[0]):// broker")
            }
            self = .direct(scheme: scheme)
        } else if let address = try StoreAddress(text, among: Transports.stores) {
            self = .kept(address)
        } else {
            let forms = Transports.direct.map { $0.directScheme + "://" } + Transports.stores.flatMap { $0.forms }
            throw TransportFailure(
                "no result store for \"\(ConnectionURL.redacted(text))\"",
                fix: "write " + Transports.list(forms + ["none"]))
        }
    }

    private static func beside(_ broker: BrokerAddress) -> ResultsAddress {
        if let same = broker.role(as: (any ResultTransport.Type).self) { return .kept(same) }
        return broker.direct.map { .direct(scheme: $0.directScheme) } ?? .none
    }

    public var isDirect: Bool { if case .direct = self { true } else { false } }

    /// "none", "rpc://" or an address without secrets.
    public func redacted(mask: String = "***") -> String {
        switch self {
        case .none: "none"
        case .direct(let scheme): scheme + "://"
        case .kept(let address): address.redacted(mask: mask)
        }
    }
}

/// Where limits lie that all workers keep together.
public enum SharedLimitsAddress: Sendable, Equatable {
    case none
    case kept(LimitAddress)

    /// - Parameter text: nil: what workers share already, if it can: results or broker, those of other machines first.
    public init(_ text: String?, broker: BrokerAddress, results: ResultsAddress) throws(TransportFailure) {
        guard let text else {
            self = Self.beside(broker, results).map { .kept($0) } ?? .none
            return
        }
        guard let address = try LimitAddress(text, among: Transports.limits) else {
            throw TransportFailure(
                "\"\(ConnectionURL.redacted(text))\" cannot keep limits",
                fix: "write " + Transports.list(Transports.limits.flatMap { $0.forms }))
        }
        self = .kept(address)
    }

    private static func beside(_ broker: BrokerAddress, _ results: ResultsAddress) -> LimitAddress? {
        let atBroker = broker.role(as: (any LimitTransport.Type).self)
        var atStore: LimitAddress?
        if case .kept(let store) = results { atStore = store.role(as: (any LimitTransport.Type).self) }
        let shared = [atStore, atBroker].compactMap { $0 }.first { !$0.system.servesOneMachine }
        return shared ?? atBroker ?? atStore
    }

    public func redacted() -> String {
        switch self {
        case .none: "none"
        case .kept(let address): address.redacted()
        }
    }
}
