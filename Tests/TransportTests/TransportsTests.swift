// The registry: which system an address names, what goes with it, and that each place is opened once.
import Loop
import Ports
import TaskModel
import Testing

@testable import Redis
@testable import Transports

@Suite("Outside systems")
struct TransportsTests {
    /// What a system that only keeps results has to say.
    private final class Shelf: ResultTransport {
        static let name = "shelf"
        static let label = "Shelf"
        static let schemes = ["shelf", "shelfs"]
        static let shortForm = "shelf(s)://"
        static let forms = ["shelf://HOST"]
        static let besideBroker = "on the broker's shelf"

        let urls: [String]
        var description: String { "shelf" }

        init(
            _ urls: [String], on loop: any EventLoop, options: TransportOptions,
            log: @escaping (LogLevel, String) -> Void
        ) throws(TransportFailure) {
            self.urls = urls
        }

        func results(_ options: ResultOptions) -> any ResultStore { fatalError("not asked for here") }
        func examine(_ question: ExaminationQuestion, done: @escaping ([Finding]) -> Void) { done([]) }
        func unanswered(_ question: ExaminationQuestion) -> Finding { .fail("results", "silent", fix: nil) }
    }

    @Test("each scheme is one system's, and each form of help begins with one of them")
    func schemes() throws {
        let schemes = Transports.all.flatMap { $0.schemes }
        #expect(Set(schemes).count == schemes.count)
        for system in Transports.all {
            for form in system.forms + [system.shortForm] {
                let plain = form.replacing("(s)", with: "")
                #expect(system.schemes.contains(ConnectionURL.scheme(of: plain)), "\(form)")
            }
        }
        #expect(try BrokerAddress(nil).urls == [Transports.defaultBroker])
    }

    @Test(
        "whatever name of a scheme sorts an address, its system reads it",
        arguments: Transports.all.flatMap { $0.schemes })
    func drift(scheme: String) throws {
        let system = try #require(Transports.all.first { $0.schemes.contains(scheme) })
        // 7: a virtual host, a database, a socket or a file.
        let url =
            switch system.name {
            case "sqlite": scheme + ":///7"
            // It knows no passwords.
            case "memcached": scheme + "://h/"
            // It has to be told where, by a whole name for `mongodb+srv`.
            case "mongodb": scheme + "://u:p@a.b.example/7"
            default: scheme + "://u:p@/7"
            }
        let opened = try system.init([url], on: try EpollLoop(), options: TransportOptions()) { _, _ in }
        #expect(opened.urls == [url])
        #expect(!opened.description.contains(":p@"))
        if let broker = system as? any BrokerTransport.Type {
            #expect(try BrokerAddress(url).system.name == broker.name)
        }
        if let store = system as? any ResultTransport.Type {
            let results = try ResultsAddress(url, broker: try BrokerAddress("amqp://"))
            guard case .kept(let address) = results else { throw TransportFailure("not kept: \(url)") }
            #expect(address.system.name == store.name)
        }
    }

    @Test(
        "without a word results go back over the broker, or stay where its messages are",
        arguments: [("amqps://u:p@h//", "rpc://"), ("redis://:p@h/1", "redis://:***@h/1"), ("sqlite:x", "sqlite:x")])
    func beside(broker: String, results: String) throws {
        #expect(try ResultsAddress(nil, broker: try BrokerAddress(broker)).redacted() == results)
    }

    @Test(
        "shared limits lie where other machines reach them, the results' place first",
        arguments: [
            ("amqp://h", nil, nil), ("amqp://h", "redis://a", "redis://a"), ("amqp://h", "sqlite:a", "sqlite:a"),
            ("redis://b", "redis://a", "redis://a"), ("redis://b", "sqlite:a", "redis://b"),
            ("sqlite:b", "sqlite:a", "sqlite:b"), ("sqlite:b", "redis://a", "redis://a"),
            ("sqlite:b", "none", "sqlite:b"), ("redis://b", "none", "redis://b"),
        ] as [(String, String?, String?)])
    func limits(broker: String, results: String?, limits: String?) throws {
        let broker = try BrokerAddress(broker)
        let results = try ResultsAddress(results, broker: broker)
        #expect(try SharedLimitsAddress(nil, broker: broker, results: results).redacted() == limits ?? "none")
    }

    @Test("what no system takes is refused with the forms of those that would, and without its password")
    func refused() throws {
        let broker = #expect(throws: TransportFailure.self) { try BrokerAddress("sqs://key:geheim@host/") }
        #expect(broker?.detail == "no broker for \"sqs://key:***@host/\"")
        for system in Transports.brokers { #expect(broker?.fix?.contains(system.forms[0]) == true) }
        let amqp = try BrokerAddress("amqp://h")
        let results = #expect(throws: TransportFailure.self) { try ResultsAddress("amqp://h", broker: amqp) }
        #expect(results?.fix?.hasPrefix("write rpc://, ") == true && results?.fix?.hasSuffix(" or none") == true)
        let direct = #expect(throws: TransportFailure.self) {
            try ResultsAddress("rpc://", broker: try BrokerAddress("redis://h"))
        }
        #expect(direct?.detail == "rpc:// sends results through RabbitMQ, and the broker is another")
        let limits = #expect(throws: TransportFailure.self) {
            try SharedLimitsAddress("amqp://u:geheim@h", broker: amqp, results: .none)
        }
        #expect(limits?.detail == "\"amqp://u:***@h\" cannot keep limits")
        #expect(throws: TransportFailure.self) { try BrokerAddress("amqp://a//;redis://b") }
    }

    @Test("a system that only keeps results is a store, and neither broker nor place of limits")
    func storeOnly() throws {
        #expect(try BrokerAddress("shelf://h", among: [any BrokerTransport.Type]()) == nil)
        let address = try #require(try StoreAddress("shelfs://u:p@h", among: [Shelf.self]))
        #expect(address.system.name == "shelf" && address.redacted() == "shelfs://u:***@h")
        #expect(address.role(as: (any BrokerTransport.Type).self) == nil)
        #expect(address.role(as: (any LimitTransport.Type).self) == nil)
        let open = OpenTransports(on: try EpollLoop())
        #expect(try open.store(address) === (try open.store(address)))
    }

    @Test("the prefix of results holds wherever they lie in Redis, and for limits that lie with them")
    func prefix() throws {
        let open = OpenTransports(on: try EpollLoop())
        var kept = ResultOptions()
        kept.keyPrefix = "app"
        let broker = try BrokerAddress("redis://a?global_keyprefix=own")
        for (backend, limited) in [(nil, "app"), ("redis://b", "app"), ("sqlite:x", "own")] as [(String?, String)] {
            let results = try ResultsAddress(backend, broker: broker)
            let store = try open.results(results, broker: broker, kept: kept, carried: ResultOptions())
            if let store = store as? RedisResults { #expect(store.address.keyPrefix == "app") }
            let limits = try SharedLimitsAddress(nil, broker: broker, results: results)
            let made = try open.limits(limits, results: results, keyPrefix: "app") as? RedisLimits
            #expect(made?.line.address.keyPrefix == limited, "\(backend ?? "none")")
        }
    }

    @Test("a place is opened once, however it is written and for whatever role")
    func shared() throws {
        let open = OpenTransports(on: try EpollLoop())
        let broker = try open.broker(try BrokerAddress("sqlite:///tmp/a.db"))
        let same = try #require(try StoreAddress("sqlite:/tmp/a.db?synchronous=full", among: Transports.stores))
        #expect(try open.store(same) === broker)
        let other = try #require(try StoreAddress("sqlite:/tmp/b.db", among: Transports.stores))
        #expect(try open.store(other) !== broker)
    }
}
