// Redis and Valkey as the outside system they are to all others: broker, result store, place of shared limits.
public import Ports
public import TaskModel

public final class RedisTransport: BrokerTransport, ResultTransport, LimitTransport {
    public static let name = "redis"
    public static let label = "Redis"
    public static let schemes = RedisAddress.schemes
    public static let shortForm = "redis(s)://"
    public static let forms = ["redis(s)://HOST:PORT/DB", "redis+socket:///PATH"]
    /// As kombu counts them.
    public static let lowestPriorityFirst = true
    public static let subscriptionHint =
        "may its user subscribe to the channels (ACL SETUSER … &*)? `taskhost doctor` tells"
    public static let besideBroker = "by the broker's Redis"

    public let urls: [String]
    private let address: RedisAddress
    private let loop: any EventLoop

    public init(
        _ urls: [String], on loop: any EventLoop, options: TransportOptions, log: @escaping (LogLevel, String) -> Void
    ) throws(TransportFailure) {
        self.urls = urls
        self.loop = loop
        address = try TransportFailure.reading(urls[0], RedisAddress.init(url:))
    }

    public var description: String { address.description }

    public func broker() -> any Broker { RedisBroker(address: address, loop: loop) }
    public func control() -> any ControlChannel { RedisControl(address: address, loop: loop) }
    public func events() -> (any EventChannel)? { RedisEvents(address: address, loop: loop) }
    public func eventSource() -> (any EventSource)? { RedisEventSource(address: address, loop: loop) }
    public func leadership() -> any Leadership { RedisLeadership(address: address, loop: loop) }

    public func results(_ options: ResultOptions) -> any ResultStore {
        var chords = RedisChordOptions()
        chords.expiresSeconds = Int(options.chordsExpireSeconds ?? 0)
        chords.groupExpiresSeconds = chords.expiresSeconds
        return RedisResults(
            address: address(withPrefix: options.keyPrefix), loop: loop, chords: chords, codec: options.codec)
    }

    public func limits(keyPrefix: String?, log: @escaping (LogLevel, String) -> Void) -> any SharedLimits {
        RedisLimits(address: address(withPrefix: keyPrefix), loop: loop, log: log)
    }

    private func address(withPrefix prefix: String?) -> RedisAddress {
        var made = address
        if let prefix { made.keyPrefix = prefix }
        return made
    }

    public func examine(_ question: ExaminationQuestion, done: @escaping ([Finding]) -> Void) {
        RedisExamination.run(at: address, queues: question.queues.map(\.name), loop: loop) { [address] answer in
            switch answer {
            case .failure(let failure): done([.fail(question.subject, failure.detail, fix: failure.fix)])
            case .success(let examination):
                let check = RedisCheck(
                    examination: examination, isBroker: question.role == .broker, place: "\(address)")
                done(check.findings() + Self.distrust(address, question.subject))
            }
        }
    }

    private static func distrust(_ address: RedisAddress, _ subject: String) -> [Finding] {
        guard address.tls?.verifies == false else { return [] }
        return [
            .warn(
                subject, "anybody may pass for \(address): its certificate is not checked",
                fix: "name its authority by ssl_ca_certs, and leave ssl_cert_reqs=none out")
        ]
    }
}
