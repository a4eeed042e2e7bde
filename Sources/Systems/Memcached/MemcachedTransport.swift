// memcached as the outside system it is to all others: a result store.
public import Ports
public import TaskModel

public final class MemcachedTransport: ResultTransport {
    public static let name = "memcached"
    public static let label = "memcached"
    public static let schemes = MemcachedAddress.schemes
    public static let shortForm = "cache+memcached://"
    public static let forms = ["cache+memcached://HOST:PORT[;HOST:PORT]/"]
    public static let besideBroker = "in the broker's memcached"

    public let urls: [String]
    private let address: MemcachedAddress
    private let loop: any EventLoop
    /// While it looks.
    private var examination: MemcachedExamination?

    public init(
        _ urls: [String], on loop: any EventLoop, options: TransportOptions, log: @escaping (LogLevel, String) -> Void
    ) throws(TransportFailure) {
        self.urls = urls
        self.loop = loop
        address = try TransportFailure.reading(urls[0], MemcachedAddress.init(url:))
    }

    public var description: String { address.description }

    public func results(_ options: ResultOptions) -> any ResultStore {
        var made = address
        if let prefix = options.keyPrefix { made.keyPrefix = prefix }
        return MemcachedResults(address: made, loop: loop, options: options)
    }

    public func examine(_ question: ExaminationQuestion, done: @escaping ([Finding]) -> Void) {
        let examination = MemcachedExamination(address, question, loop)
        self.examination = examination
        examination.run { [weak self] findings in
            self?.examination = nil
            done(findings)
        }
    }
}
