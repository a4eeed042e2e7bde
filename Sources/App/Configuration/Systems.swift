// The outside systems that the configuration names, on one loop.
package import Loop
package import Output
package import Ports
import Settings
package import TaskModel
package import Transports
import WireFormats

package final class Systems {
    private let configuration: Configuration
    private let open: OpenTransports

    package init(loop: EpollLoop, configuration: Configuration, log: @escaping (LogLevel, String) -> Void = { _, _ in })
    {
        self.configuration = configuration
        var options = TransportOptions()
        for row in Filling.transports { row.fill(&options, configuration.settings) }
        open = OpenTransports(on: loop, options: options, log: log)
    }

    package func broker() throws(CommandFailure) -> any BrokerTransport {
        do {
            return try open.broker(configuration.broker)
        } catch {
            throw .configuration(error)
        }
    }

    /// nil: no results are kept.
    package func results() throws(CommandFailure) -> (any ResultStore)? {
        var carried = ResultOptions()
        carried.codec = ResultFormat(configuration[Settings.results.serializer])
        carried.replyTargets = configuration.replyTargets
        do {
            return try open.results(
                configuration.results, broker: configuration.broker, kept: Self.kept(configuration), carried: carried)
        } catch {
            throw .configuration(error)
        }
    }

    /// How results are kept.
    package static func kept(_ configuration: Configuration) -> ResultOptions {
        var kept = ResultOptions()
        for row in Filling.results { row.fill(&kept, configuration.settings) }
        kept.codec = ResultFormat(
            configuration[Settings.results.serializer], compression: configuration[Settings.results.compression])
        return kept
    }

    /// nil: there is no place for what all workers keep together.
    package func limits() throws(CommandFailure) -> (any SharedLimits)? {
        do {
            return try open.limits(
                configuration.sharedLimits, results: configuration.results,
                keyPrefix: configuration[Settings.results.keyPrefix])
        } catch {
            throw .configuration(error)
        }
    }

    /// For doctor: where results lie if not with the broker.
    package func store(_ address: StoreAddress) throws(TransportFailure) -> any ResultTransport {
        try open.store(address)
    }
}

extension CommandFailure {
    /// - Parameter origin: what named the address; nil: the failure tells the address itself.
    static func configuration(_ failure: TransportFailure, origin: String? = nil) -> CommandFailure {
        .configuration((origin.map { $0 + ": " } ?? "") + failure.detail, fix: failure.fix)
    }
}
