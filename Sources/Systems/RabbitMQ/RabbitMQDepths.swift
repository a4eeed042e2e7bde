// How much waits in queues, over a connection that is kept, since depths are asked for repeatedly.
public import Ports
import TaskModel

extension RabbitMQBroker {
    public func depths(of queues: [String], done: @escaping (Result<[String: Int], BrokerFailure>) -> Void) {
        // In use; another question meanwhile makes its own.
        let kept = depthConnection?.take()
        depthConnection = nil
        let addresses = addresses
        let options = options
        inBackground { () throws(BrokerFailure) -> (AMQPConnection, [String: Int]) in
            if let kept {
                do throws(BrokerFailure) {
                    return (kept, try Self.depths(of: queues, over: kept, options))
                } catch {
                    // It may have been lost meanwhile.
                    kept.close()
                }
            }
            var failure = BrokerFailure(.unreachable, "no address")
            for address in addresses {
                do throws(BrokerFailure) {
                    let connection = try AMQPConnection(to: address, duty: "depths", options: options)
                    return (connection, try Self.depths(of: queues, over: connection, options))
                } catch {
                    failure = error
                }
            }
            throw failure
        } done: { broker, result in
            if case .success((let connection, _)) = result { broker.keep(connection) }
            done(result.map(\.1))
        }
    }

    private static func depths(
        of queues: [String], over connection: AMQPConnection, _ options: RabbitMQOptions
    ) throws(BrokerFailure) -> [String: Int] {
        var topology = Topology(connection, channel: 1, options: options)
        var depths: [String: Int] = [:]
        for queue in queues { depths[queue] = try topology.depth(of: queue) }
        try topology.end()
        return depths
    }

    private func keep(_ connection: AMQPConnection) {
        guard depthConnection == nil, !isClosed else { return end(connection) {} }
        depthConnection = KeptConnection(connection, loop) { [weak self] broken in
            self?.depthConnection = nil
            self?.end(broken) {}
        }
    }

    /// On a thread of its own: it waits for the other side.
    func end(_ connection: AMQPConnection, done: @escaping () -> Void) {
        inBackground { () throws(BrokerFailure) in
            connection.close()
        } done: { broker, result in
            if case .failure(let failure) = result {
                broker.log(.warning, "A connection ends without a goodbye: \(failure)")
            }
            done()
        }
    }
}
