// The outside systems of one process: made from their addresses, each place once.
public import Ports
public import TaskModel

/// On the loop's thread. Nothing connects before a part is started.
public final class OpenTransports {
    private let loop: any EventLoop
    private let options: TransportOptions
    private let log: (LogLevel, String) -> Void
    private var open: [any Transport] = []

    public init(
        on loop: any EventLoop, options: TransportOptions = TransportOptions(),
        log: @escaping (LogLevel, String) -> Void = { _, _ in }
    ) {
        self.loop = loop
        self.options = options
        self.log = log
    }

    public func broker(_ address: BrokerAddress) throws(TransportFailure) -> any BrokerTransport {
        try opened(address.system, address.urls)
    }

    public func store(_ address: StoreAddress) throws(TransportFailure) -> any ResultTransport {
        try opened(address.system, address.urls)
    }

    /// - Parameters:
    ///   - kept: of results in a store.
    ///   - carried: of results that travel as messages.
    /// - Returns: nil: no results are kept.
    public func results(
        _ results: ResultsAddress, broker: BrokerAddress, kept: ResultOptions, carried: ResultOptions
    ) throws(TransportFailure) -> (any ResultStore)? {
        switch results {
        case .none: nil
        case .kept(let address): try store(address).results(kept)
        case .direct: (try self.broker(broker) as? any DirectResultTransport)?.directResults(carried)
        }
    }

    /// - Parameter keyPrefix: of the results; also of the limits where they lie in the same place.
    /// - Returns: nil: there is no place for what all workers keep together.
    public func limits(
        _ limits: SharedLimitsAddress, results: ResultsAddress, keyPrefix: String?
    ) throws(TransportFailure) -> (any SharedLimits)? {
        guard case .kept(let address) = limits else { return nil }
        var prefix: String?
        if case .kept(let store) = results, store.urls == address.urls { prefix = keyPrefix }
        let transport: any LimitTransport = try opened(address.system, address.urls)
        return transport.limits(keyPrefix: prefix, log: log)
    }

    /// - Parameter system: the metatype that `Opened` is an instance of.
    private func opened<Opened>(_ system: any Transport.Type, _ urls: [String]) throws(TransportFailure) -> Opened {
        guard let opened = try transport(system, urls) as? Opened else {
            preconditionFailure("\(system.name) has not got the role that its address was sorted by")
        }
        return opened
    }

    private func transport(_ system: any Transport.Type, _ urls: [String]) throws(TransportFailure) -> any Transport {
        if let known = open.first(where: { $0.urls == urls }) { return known }
        let made = try system.init(urls, on: loop, options: options, log: log)
        // The same place, written otherwise.
        if let known = open.first(where: { type(of: $0) == system && $0.place == made.place }) { return known }
        open.append(made)
        return made
    }
}
