/// Which broker, told from its address by the scheme alone. The adapter reads the rest.
enum BrokerAddress: Sendable, Equatable {
    /// One file, shared by all hosts and clients of this machine: a `sqlite:` URL.
    case embedded(String)
    /// RabbitMQ; the addresses are tried in turn.
    case amqp([String])
    case redis(String)

    var isAMQP: Bool { if case .amqp = self { true } else { false } }

    /// - Parameter url: nil: the embedded broker in the user's state directory.
    init(url: String?, origin: String) throws(CommandFailure) {
        guard let url else {
            self = .embedded("sqlite:")
            return
        }
        switch scheme(of: url) {
        case "amqp", "amqps", "pyamqp", "librabbitmq":
            let urls = url.split(separator: ";").map { String($0).trimmed }.filter { !$0.isEmpty }
            for other in urls where !["amqp", "amqps", "pyamqp", "librabbitmq"].contains(scheme(of: other)) {
                throw .configuration(
                    "\(origin): \(withoutSecrets(other)) cannot stand beside an AMQP address",
                    fix: "alternates separated by `;` must all be amqp:// or amqps://")
            }
            self = .amqp(urls)
        case "sqlite":
            self = .embedded(url)
        case "redis", "rediss", "redis+socket", "unix":
            self = .redis(url)
        default:
            throw .configuration(
                "\(origin): no broker for \"\(withoutSecrets(url))\"",
                fix: "write amqp(s)://USER:PASSWORD@HOST:PORT/VHOST, redis(s)://HOST:PORT/DB, or sqlite:///PATH")
        }
    }
}

/// Which result store, likewise.
enum ResultsAddress: Sendable, Equatable {
    case none
    /// Answers go back through the broker, to the client that asked.
    case rpc
    case redis(String)
    case embedded(String)

    /// - Parameter url: nil: what goes with the broker: the same file or Redis, or `rpc://`.
    init(url: String?, origin: String, broker: BrokerAddress) throws(CommandFailure) {
        guard let url else {
            switch broker {
            case .embedded(let url): self = .embedded(url)
            case .amqp: self = .rpc
            case .redis(let url): self = .redis(url)
            }
            return
        }
        switch scheme(of: url) {
        case "none", "disabled":
            self = .none
        case "rpc":
            guard case .amqp = broker else {
                throw .configuration(
                    "\(origin): rpc:// sends results through RabbitMQ, and the broker is another",
                    fix: "leave the result backend out, or name an amqp:// broker")
            }
            self = .rpc
        case "redis", "rediss", "redis+socket", "unix":
            self = .redis(url)
        case "sqlite":
            self = .embedded(url)
        default:
            throw .configuration(
                "\(origin): no result store for \"\(withoutSecrets(url))\"",
                fix: "write rpc://, redis(s)://HOST:PORT/DB, redis+socket:///PATH, sqlite:///PATH or none")
        }
    }
}

/// Where limits lie that all workers keep together.
enum SharedLimitsAddress: Sendable, Equatable {
    case none
    case redis(String)
    case embedded(String)

    /// - Parameter url: nil: the Redis or the file that all share already, if there is one.
    init(
        url: String?, origin: String, broker: BrokerAddress, results: ResultsAddress
    ) throws(CommandFailure) {
        guard let url else {
            switch (broker, results) {
            case (_, .redis(let url)), (.redis(let url), _): self = .redis(url)
            case (.embedded(let url), _), (_, .embedded(let url)): self = .embedded(url)
            case (.amqp, .none), (.amqp, .rpc): self = .none
            }
            return
        }
        switch scheme(of: url) {
        case "redis", "rediss", "redis+socket", "unix":
            self = .redis(url)
        case "sqlite":
            self = .embedded(url)
        default:
            throw .configuration(
                "\(origin): \"\(withoutSecrets(url))\" cannot keep limits",
                fix: "write redis(s)://HOST:PORT/DB, redis+socket:///PATH or sqlite:///PATH")
        }
    }
}

/// "amqp" of "amqp://…"; the whole word when there is no colon.
private func scheme(of url: String) -> String { String(url.prefix { $0 != ":" }).lowercased() }

/// The same address with passwords hidden, for messages.
func withoutSecrets(_ address: String, mask: String = "***") -> String {
    let url = address.replacing(#/([?&]password=)[^&]*/#) { "\($0.1)\(mask)" }
    guard let start = url.firstRange(of: "://")?.upperBound, let at = url[start...].lastIndex(of: "@"),
        let colon = url[start..<at].firstIndex(of: ":")
    else { return url }
    return url[..<colon] + ":" + mask + url[at...]
}
