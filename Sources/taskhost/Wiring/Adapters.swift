import Foundation
import LocalSocket
import Loop
import Ports
import RabbitMQ
import Redis
import SQLite
import TaskModel
import WireFormats

/// Makes broker and result store from their addresses. The one place that knows every adapter.
final class Adapters {
    private let loop: EpollLoop
    private let configuration: Configuration
    /// Levels 0 debug … 3 error.
    private let log: (Int, String) -> Void
    /// Files already open: broker and results share one when they name the same.
    private var files: [SQLiteFile] = []
    private var rabbit: RabbitMQBroker?

    init(loop: EpollLoop, configuration: Configuration, log: @escaping (Int, String) -> Void) {
        self.loop = loop
        self.configuration = configuration
        self.log = log
    }

    func broker() throws(CommandFailure) -> any Broker {
        switch configuration.broker {
        case .embedded(let url): SQLiteBroker(file: try file(url))
        case .amqp(let urls): try rabbitMQ(urls)
        case .redis(let url): RedisBroker(address: try redisAddress(url), loop: loop)
        }
    }

    /// Broadcasts go the way of the broker, over the same connections or file.
    func control() throws(CommandFailure) -> any ControlChannel {
        switch configuration.broker {
        case .embedded(let url): SQLiteControl(file: try file(url))
        case .amqp(let urls): RabbitMQControl(broker: try rabbitMQ(urls))
        case .redis(let url): RedisControl(address: try redisAddress(url), loop: loop)
        }
    }

    /// nil: the embedded broker carries none. Its hosts tell of them over their own sockets (decision 9).
    func events() throws(CommandFailure) -> (any EventChannel)? {
        switch configuration.broker {
        case .embedded: nil
        case .amqp(let urls): RabbitMQEvents(broker: try rabbitMQ(urls))
        case .redis(let url): RedisEvents(address: try redisAddress(url), loop: loop)
        }
    }

    /// The same from the other side: what a monitor hears.
    func eventSource() throws(CommandFailure) -> any EventSource {
        switch configuration.broker {
        case .embedded(let url): localEvents(file: try file(url).address.path)
        case .amqp(let urls): RabbitMQEventSource(broker: try rabbitMQ(urls))
        case .redis(let url): RedisEventSource(address: try redisAddress(url), loop: loop)
        }
    }

    /// From this user's hosts on this machine that serve the file.
    private func localEvents(file path: String) -> any EventSource {
        let own = URL(filePath: path).resolvingSymlinksInPath()
        let hosts = LocalHosts(sockets: nil, loop: loop) { facts in
            do throws(SQLiteFailure) {
                let theirs = try SQLiteAddress(url: facts.broker).path
                return URL(filePath: theirs).resolvingSymlinksInPath() == own
            } catch {
                // Another kind of broker.
                return false
            }
        }
        return LocalEventSource(hosts: hosts, loop: loop)
    }

    /// Who leads is settled where the messages lie.
    func leadership() throws(CommandFailure) -> any Leadership {
        switch configuration.broker {
        case .embedded(let url): SQLiteLeadership(file: try file(url))
        case .amqp(let urls): RabbitMQLeadership(broker: try rabbitMQ(urls))
        case .redis(let url): RedisLeadership(address: try redisAddress(url), loop: loop)
        }
    }

    /// nil: no results are kept.
    func store() throws(CommandFailure) -> (any ResultStore)? {
        switch (configuration.results, configuration.broker) {
        case (.none, _): nil
        case (.embedded(let url), _): SQLiteResults(file: try file(url))
        case (.redis(let url), _): try redis(url)
        case (.rpc, .amqp(let urls)):
            RPCResults(broker: try rabbitMQ(urls), codec: ResultFormat(configuration.resultSerializer))
        case (.rpc, .embedded), (.rpc, .redis):
            throw .configuration("rpc:// needs an AMQP broker", fix: "leave the result backend out")
        }
    }

    /// nil: there is no place for what all workers keep together.
    func limits() throws(CommandFailure) -> (any SharedLimits)? {
        switch configuration.sharedLimits {
        case .none:
            return nil
        case .embedded(let url):
            return SQLiteLimits(file: try file(url), log: log)
        case .redis(let url):
            var address = try redisAddress(url)
            if case .redis(url) = configuration.results, let prefix = configuration.redisKeyPrefix {
                address.keyPrefix = prefix
            }
            return RedisLimits(address: address, loop: loop, log: log)
        }
    }

    private func file(_ url: String) throws(CommandFailure) -> SQLiteFile {
        do {
            let address = try SQLiteAddress(url: url)
            if let open = files.first(where: { $0.address.path == address.path }) { return open }
            let file = SQLiteFile(address: address, loop: loop)
            files.append(file)
            return file
        } catch {
            throw .configuration(error.detail, fix: error.fix)
        }
    }

    private func redis(_ url: String) throws(CommandFailure) -> RedisResults {
        var address = try redisAddress(url)
        if let prefix = configuration.redisKeyPrefix { address.keyPrefix = prefix }
        var chords = RedisChordOptions()
        chords.expiresSeconds = Int(configuration.resultExpires ?? 0)
        chords.groupExpiresSeconds = chords.expiresSeconds
        return RedisResults(
            address: address, loop: loop, chords: chords,
            codec: ResultFormat(configuration.resultSerializer, compression: configuration.resultCompression))
    }

    private func redisAddress(_ url: String) throws(CommandFailure) -> RedisAddress {
        do {
            return try RedisAddress(url: url)
        } catch {
            throw .configuration(error.detail, fix: error.fix)
        }
    }

    private func rabbitMQ(_ urls: [String]) throws(CommandFailure) -> RabbitMQBroker {
        if let rabbit { return rabbit }
        var addresses: [RabbitMQAddress] = []
        for url in urls {
            do {
                addresses.append(try RabbitMQAddress(parsing: url))
            } catch {
                throw .configuration("\(withoutSecrets(url)): \(error.detail)")
            }
        }
        for address in addresses where !address.ignored.isEmpty {
            log(2, "\(address): parameters without meaning here: \(address.ignored.joined(separator: ", "))")
        }
        var options = RabbitMQOptions()
        options.delayQueueKind = configuration.delayQueueKind
        options.deadQueueKind = configuration.deadQueueKind
        let made = RabbitMQBroker(addresses: addresses, loop: loop, options: options, log: log)
        rabbit = made
        return made
    }
}
