// Addresses to adapters: which systems a client's URLs name.
import Loop
import Ports
import RabbitMQ
import Redis
import SQLite
import TaskModel

/// Checked before anything connects.
struct ClientAddresses: Sendable {
    enum Place: Sendable {
        case rabbitMQ([RabbitMQAddress])
        case redis(RedisAddress)
        case file(SQLiteAddress)
    }

    enum Results: Sendable {
        /// Messages to this client, through the broker.
        case rpc
        case at(Place)
        case none
    }

    var broker: Place
    var results: Results

    /// - Parameter backend: nil: what goes with the broker (the same file, rpc:// on RabbitMQ); "none": no results.
    init(broker: String, backend: String?, redisKeyPrefix: String) throws(ClientError) {
        self.broker = try Self.place(broker, "")
        switch (backend, self.broker) {
        case (nil, .rabbitMQ), ("rpc://", .rabbitMQ): results = .rpc
        case (nil, let place): results = .at(place)
        case ("none", _): results = .none
        case ("rpc://", _):
            throw .configuration("rpc:// sends results through RabbitMQ: name an amqp:// broker or another backend")
        case (let url?, _):
            let place = try Self.place(url, redisKeyPrefix)
            if case .rabbitMQ = place {
                throw .configuration("RabbitMQ keeps no results: write rpc://, redis://HOST:PORT/DB or sqlite:///PATH")
            }
            results = .at(place)
        }
    }

    private static func place(_ url: String, _ redisKeyPrefix: String) throws(ClientError) -> Place {
        switch url.prefix(while: { $0 != ":" }) {
        case "amqp", "amqps", "pyamqp", "librabbitmq": return .rabbitMQ(try rabbitMQ(url))
        case "redis", "rediss", "redis+socket", "unix":
            do {
                var address = try RedisAddress(url: url)
                if !redisKeyPrefix.isEmpty { address.keyPrefix = redisKeyPrefix }
                return .redis(address)
            } catch {
                throw .configuration(error.description)
            }
        case "sqlite":
            do {
                return .file(try SQLiteAddress(url: url))
            } catch {
                throw .configuration(error.description)
            }
        default:
            throw .configuration("no such address: write amqp://…, redis://… or sqlite:///PATH")
        }
    }

    private static func rabbitMQ(_ urls: String) throws(ClientError) -> [RabbitMQAddress] {
        var addresses: [RabbitMQAddress] = []
        for url in urls.split(separator: ";") {
            do {
                addresses.append(try RabbitMQAddress(parsing: String(url)))
            } catch {
                throw .configuration(error.description)
            }
        }
        return addresses
    }
}

/// The adapters of one client, on its loop.
struct ClientAdapters {
    let broker: any Broker
    let store: (any ResultStore)?
    /// nil: the broker's own exchanges serve.
    let control: (any ControlChannel)?

    init(_ addresses: ClientAddresses, loop: EpollLoop) {
        switch (addresses.broker, addresses.results) {
        case (.rabbitMQ(let places), let results):
            let rabbit = RabbitMQBroker(addresses: places, loop: loop, options: RabbitMQOptions()) { _, _ in }
            broker = rabbit
            control = nil
            if case .rpc = results {
                store = RPCResults(broker: rabbit)
            } else {
                store = Self.store(results, sharing: nil, loop)
            }
        case (.file(let address), let results):
            let file = SQLiteFile(address: address, loop: loop)
            broker = SQLiteBroker(file: file)
            control = SQLiteControl(file: file)
            store = Self.store(results, sharing: file, loop)
        case (.redis(let address), let results):
            broker = RedisBroker(address: address, loop: loop)
            control = RedisControl(address: address, loop: loop)
            store = Self.store(results, sharing: nil, loop)
        }
    }

    /// - Parameter file: opened already; the same path is not opened twice.
    private static func store(
        _ results: ClientAddresses.Results, sharing file: SQLiteFile?, _ loop: EpollLoop
    ) -> (any ResultStore)? {
        guard case .at(let place) = results else { return nil }
        switch place {
        case .redis(let address): return RedisResults(address: address, loop: loop)
        case .file(let address):
            if let file, file.address.path == address.path { return SQLiteResults(file: file) }
            return SQLiteResults(file: SQLiteFile(address: address, loop: loop))
        case .rabbitMQ: return nil
        }
    }
}
