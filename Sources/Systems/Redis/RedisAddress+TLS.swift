// What a rediss:// address says about TLS: the parameters of redis-py and Celery.
import Ports
import TaskModel

extension RedisAddress {
    /// How the server is checked, and what we show it. Paths are of PEM files.
    public struct TLS: Sendable, Equatable {
        /// The authorities trusted; nil: the system's.
        public var authorities: String?
        /// Our own certificate, and its key; nil: the key is in the certificate's file, as redis-py has it.
        public var certificate: String?
        public var key: String?
        /// Checks that an authority vouches for the server's certificate.
        public var verifies = true
        /// Checks that it was made out to the address' host. Of no effect without `verifies`.
        public var checksHostName = true

        public init() {}
    }
}

extension RedisAddress.TLS {
    private static let known = [
        "ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname",
    ]

    /// Unlike other parameters, unknown ones are refused: one that is misspelt would weaken what it was to strengthen.
    init(_ url: ConnectionURL) throws(StoreFailure) {
        if let unknown = Self.names(in: url).first(where: { !Self.known.contains($0) }) {
            throw Self.unusable("\(unknown) is not known", "Write one of \(Self.known.joined(separator: ", "))")
        }
        authorities = url[parameter: "ssl_ca_certs"]
        certificate = url[parameter: "ssl_certfile"]
        key = url[parameter: "ssl_keyfile"]
        if key != nil, certificate == nil {
            throw Self.unusable("ssl_keyfile stands alone", "Name the certificate of that key by ssl_certfile")
        }
        switch url[parameter: "ssl_cert_reqs"] {
        // For a client "optional" is no less than "required", as in Python's ssl module.
        case nil, "required", "optional", "CERT_REQUIRED", "CERT_OPTIONAL": break
        case "none", "CERT_NONE": verifies = false
        case let other?:
            throw Self.unusable("ssl_cert_reqs is \"\(other)\"", "Write required (the default), optional or none")
        }
        switch url[parameter: "ssl_check_hostname"]?.lowercased() {
        case nil, "true", "yes", "1": break
        case "false", "no", "0": checksHostName = false
        case let other?:
            throw Self.unusable("ssl_check_hostname is \"\(other)\"", "Write true (the default) or false")
        }
    }

    /// For addresses without TLS: Celery refuses them as well.
    static func refuse(in url: ConnectionURL) throws(StoreFailure) {
        guard let stray = names(in: url).first else { return }
        throw unusable("\(stray) asks for TLS, and the scheme is without", "Write rediss:// for a Redis over TLS")
    }

    private static func names(in url: ConnectionURL) -> [String] {
        url.parameters.map(\.name).filter { $0.hasPrefix("ssl_") }.sorted()
    }

    private static func unusable(_ reason: String, _ fix: String) -> StoreFailure {
        StoreFailure("The Redis address cannot be used: \(reason)", .refused, fix: fix)
    }
}
