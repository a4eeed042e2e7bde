// Where a RabbitMQ node is and how to log in there: the AMQP URI, and Celery's spellings of it.

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
        let path = vhost == "/" ? "/" : "/" + PercentCoding.encode(vhost)
        return "\(tls == nil ? "amqp" : "amqps")://\(PercentCoding.encode(user))@\(shownHost):\(port)\(path)"
    }
}

public struct RabbitMQAddressError: Error, Sendable, Equatable, CustomStringConvertible {
    public var detail: String
    public var description: String { detail }
}

extension RabbitMQAddress {
    /// Several addresses, separated by `;` as Celery does it. They are tried in turn.
    public static func list(parsing text: String) throws(RabbitMQAddressError) -> [RabbitMQAddress] {
        var addresses: [RabbitMQAddress] = []
        for part in text.split(separator: ";") {
            let trimmed = String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            if !trimmed.isEmpty { addresses.append(try RabbitMQAddress(parsing: trimmed)) }
        }
        if addresses.isEmpty {
            throw RabbitMQAddressError(
                detail: "No broker address given. Write one like amqp://user:password@host:5672/vhost")
        }
        return addresses
    }

    /// Scheme `amqp`, `amqps`, or Celery's `pyamqp`, `librabbitmq`. What is left out: guest:guest@localhost:5672, vhost `/`.
    ///
    /// The path is the virtual host: none, `/` and `//` and `/%2F` all mean `/`.
    public init(parsing text: String) throws(RabbitMQAddressError) {
        self.init()
        guard let schemeEnd = text.firstRange(of: "://") else {
            throw RabbitMQAddressError(detail: "The broker address has no scheme. Write amqp://host or amqps://host")
        }
        switch text[..<schemeEnd.lowerBound].lowercased() {
        case "amqp", "pyamqp", "librabbitmq": break
        case "amqps", "pyamqps":
            tls = TLS()
            port = 5671
        case let other:
            throw RabbitMQAddressError(detail: "Scheme '\(other)' is not RabbitMQ's. Use amqp:// or amqps://")
        }
        var rest = text[schemeEnd.upperBound...]
        if let mark = rest.firstIndex(of: "?") {
            let query = rest[rest.index(after: mark)...]
            rest = rest[..<mark]
            for pair in query.split(separator: "&") { try takeParameter(pair) }
        }
        let slash = rest.firstIndex(of: "/")
        if let slash { vhost = try Self.parseVhost(rest[rest.index(after: slash)...]) }
        var authority = rest[..<(slash ?? rest.endIndex)]
        if let at = authority.lastIndex(of: "@") {
            try takeCredentials(authority[..<at])
            authority = authority[authority.index(after: at)...]
        }
        try takeHost(authority)
    }

    private static func parseVhost(_ path: Substring) throws(RabbitMQAddressError) -> String {
        let name = try decoded(path, "virtual host")
        return name.isEmpty ? "/" : name
    }

    private mutating func takeCredentials(_ text: Substring) throws(RabbitMQAddressError) {
        let colon = text.firstIndex(of: ":")
        let name = try Self.decoded(text[..<(colon ?? text.endIndex)], "user name")
        if !name.isEmpty { user = name }
        if let colon { password = try Self.decoded(text[text.index(after: colon)...], "password") }
    }

    private mutating func takeHost(_ text: Substring) throws(RabbitMQAddressError) {
        var name = text
        var portText: Substring?
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else {
                throw RabbitMQAddressError(detail: "The IPv6 address in the broker address lacks its closing ']'")
            }
            name = text[text.index(after: text.startIndex)..<close]
            let after = text[text.index(after: close)...]
            if after.hasPrefix(":") { portText = after.dropFirst() }
        } else if let colon = text.lastIndex(of: ":") {
            name = text[..<colon]
            portText = text[text.index(after: colon)...]
            if name.contains(":") {
                throw RabbitMQAddressError(detail: "Write an IPv6 address in brackets: amqp://[::1]:5672/")
            }
        }
        if !name.isEmpty { host = try Self.decoded(name, "host") }
        if let portText, !portText.isEmpty {
            guard let number = Int(portText), (1...65535).contains(number) else {
                throw RabbitMQAddressError(detail: "'\(portText)' is not a port. Ports are numbers from 1 to 65535")
            }
            port = number
        }
    }

    private mutating func takeParameter(_ pair: Substring) throws(RabbitMQAddressError) {
        let equals = pair.firstIndex(of: "=")
        let name = String(pair[..<(equals ?? pair.endIndex)])
        let value = try Self.decoded(equals.map { pair[pair.index(after: $0)...] } ?? "", "parameter \(name)")
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

    private static func decoded(_ text: Substring, _ what: String) throws(RabbitMQAddressError) -> String {
        guard let plain = PercentCoding.decode(text), !plain.utf8.contains(0) else {
            throw RabbitMQAddressError(detail: "The \(what) in the broker address has a bad percent-encoding")
        }
        return plain
    }
}

enum PercentCoding {
    static func decode(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.next().flatMap(hexDigit), let low = rest.next().flatMap(hexDigit) else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    static func encode(_ text: String) -> String {
        var bytes: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
