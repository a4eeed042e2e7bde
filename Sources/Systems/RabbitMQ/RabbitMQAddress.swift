// Where a RabbitMQ node is and how to log in there: the AMQP URI, and Celery's spellings of it.
import TaskModel

/// One node: `amqp://user:password@host:port/vhost?parameters`, or `amqps://` with TLS.
///
/// Parameters, as RabbitMQ's URI specification names them: `heartbeat` (seconds, 0 switches it off),
/// `connection_timeout` (milliseconds), and for `amqps` `cacertfile`, `certfile`, `keyfile` (paths of PEM files) and
/// `verify` (`verify_peer`, the default, or `verify_none`). Others are listed in `ignored`.
public struct RabbitMQAddress: Sendable, Equatable, CustomStringConvertible {
    public struct TLS: Sendable, Equatable {
        /// PEM file of the authorities trusted; nil: the system's.
        public var authorities: String?
        /// PEM files: our own certificate and its key.
        public var certificate: String?
        public var key: String?
        /// Checks the broker's certificate and that it was made out to `host`.
        public var verifies = true

        public init() {}
    }

    public var host = "localhost"
    public var port = 5672
    public var user = "guest"
    public var password = "guest"
    public var vhost = "/"
    public var tls: TLS?
    /// nil: as the options say.
    public var heartbeatSeconds: Int?
    public var connectTimeoutSeconds: Double?
    /// Names of parameters that mean nothing here.
    public var ignored: [String] = []

    public init() {}

    /// Without the password: fit for logs.
    public var description: String {
        let shownHost = host.contains(":") ? "[\(host)]" : host
        let path = vhost == "/" ? "/" : "/" + ConnectionURL.encoded(vhost)
        return "\(tls == nil ? "amqp" : "amqps")://\(ConnectionURL.encoded(user))@\(shownHost):\(port)\(path)"
    }
}

public struct RabbitMQAddressError: Error, Sendable, Equatable, CustomStringConvertible {
    public var detail: String
    public var description: String { detail }
}

extension RabbitMQAddress {
    /// Celery's `pyamqp`, `pyamqps` and `librabbitmq` are other names of the same.
    static let schemes = ["amqp", "amqps", "pyamqp", "pyamqps", "librabbitmq"]

    /// What is left out: guest:guest@localhost:5672, vhost `/`.
    ///
    /// The path is the virtual host: none, `/` and `//` and `/%2F` all mean `/`.
    public init(parsing text: String) throws(RabbitMQAddressError) {
        let url: ConnectionURL
        do throws(ConnectionURLError) {
            url = try ConnectionURL(parsing: text)
        } catch {
            throw RabbitMQAddressError(error)
        }
        guard let place = url.hosts.first else { throw RabbitMQAddressError(.noScheme) }
        guard Self.schemes.contains(url.scheme) else {
            throw RabbitMQAddressError(
                detail: "Scheme '\(url.scheme)' is not RabbitMQ's. Use amqp:// or amqps://")
        }
        guard url.hosts.count == 1 else {
            throw RabbitMQAddressError(
                detail: "The broker address names several hosts. Write whole addresses separated by ';'")
        }
        self.init()
        if url.scheme.hasSuffix("s") { (tls, port) = (TLS(), 5671) }
        if let user = url.user, !user.isEmpty { self.user = user }
        if let password = url.password { self.password = password }
        if !place.name.isEmpty { host = place.name }
        if let port = place.port { self.port = port }
        if url.path.count > 1 { vhost = String(url.path.dropFirst()) }
        for parameter in url.parameters { try take(parameter.name, parameter.value ?? "") }
    }

    private mutating func take(_ name: String, _ value: String) throws(RabbitMQAddressError) {
        func number(_ range: ClosedRange<Int>) throws(RabbitMQAddressError) -> Int {
            guard let number = Int(value), range.contains(number) else {
                throw RabbitMQAddressError(
                    detail:
                        "Parameter \(name)=\(value) must be a number from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
        switch name {
        case "heartbeat": heartbeatSeconds = try number(0...3600)
        case "connection_timeout": connectTimeoutSeconds = Double(try number(1...600_000)) / 1000
        case "cacertfile" where tls != nil: tls?.authorities = value
        case "certfile" where tls != nil: tls?.certificate = value
        case "keyfile" where tls != nil: tls?.key = value
        case "verify" where tls != nil:
            guard value == "verify_peer" || value == "verify_none" else {
                throw RabbitMQAddressError(detail: "Parameter verify=\(value) must be verify_peer or verify_none")
            }
            tls?.verifies = value == "verify_peer"
        default: ignored.append(name)
        }
    }
}

extension RabbitMQAddressError {
    init(_ error: ConnectionURLError) {
        detail =
            switch error {
            case .noScheme: "The broker address has no scheme. Write amqp://host or amqps://host"
            case .badPort(let text): "'\(text)' is not a port. Ports are numbers from 1 to 65535"
            case .unclosedBracket: "The IPv6 address in the broker address lacks its closing ']'"
            case .bareIPv6: "Write an IPv6 address in brackets: amqp://[::1]:5672/"
            case .badEncoding(let part): "The \(Self.name(part)) in the broker address has a bad percent-encoding"
            }
    }

    private static func name(_ part: ConnectionURL.Part) -> String {
        switch part {
        case .user: "user name"
        case .password: "password"
        case .host: "host"
        case .path: "virtual host"
        case .parameter(let name): "parameter \(name)"
        }
    }
}
