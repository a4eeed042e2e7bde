// Which systems a client's URLs name, and their parts on its loop.
import Ports
import Transports

/// Sorted before there is a loop; each system reads its own when it is opened on one.
struct ClientAddresses: Sendable {
    var broker: BrokerAddress
    var results: ResultsAddress

    /// - Parameter backend: nil: what goes with the broker (the same place, rpc:// on RabbitMQ); "none": no results.
    init(broker: String, backend: String?) throws(ClientError) {
        do throws(TransportFailure) {
            self.broker = try BrokerAddress(broker)
            results = try ResultsAddress(backend, broker: self.broker)
        } catch {
            throw .configuration(error.description)
        }
    }
}

struct ClientSystems {
    let broker: any Broker
    /// nil: no results are kept.
    let store: (any ResultStore)?
    /// nil: orders are messages.
    let control: (any ControlChannel)?

    init(_ addresses: ClientAddresses, redisKeyPrefix: String, loop: any EventLoop) throws(ClientError) {
        var kept = ResultOptions()
        if !redisKeyPrefix.isEmpty { kept.keyPrefix = redisKeyPrefix }
        do throws(TransportFailure) {
            let open = OpenTransports(on: loop)
            let transport = try open.broker(addresses.broker)
            store = try open.results(
                addresses.results, broker: addresses.broker, kept: kept, carried: ResultOptions())
            broker = transport.broker()
            control = addresses.broker.system.ordersAreMessages ? nil : transport.control()
        } catch {
            throw .configuration(error.description)
        }
    }
}
