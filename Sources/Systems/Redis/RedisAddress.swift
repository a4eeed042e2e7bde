// Where Redis is, as Celery writes it: redis://, rediss://, unix:// and redis+socket:// URLs.
public import Ports
import TaskModel

/// `redis://[user:password@]host[:port][/db]`, `rediss://` likewise for TLS, `redis+socket:///path[?virtual_host=db]`,
/// `unix:///path[?db=db]`.
///
/// `?global_keyprefix=` is ours (Celery has it in its transport options). `ssl_…` parameters are read for `rediss://`
/// (`TLS`). Others of Celery's URLs (time-outs, health checks) are for its own client and have no effect.
public struct RedisAddress: Sendable, Equatable {
    public enum Place: Sendable, Equatable {
        case host(String, port: Int)
        /// A Unix socket's path.
        case socket(String)
    }

    public var place: Place
    public var user: String?
    public var password: String?
    /// Number of the database, ≥ 0.
    public var database: Int
    /// Before all keys; empty: none. `_` is added when it does not end in one of `:_-.`, as Celery does.
    public var keyPrefix: String
    /// nil: without. Only for a host.
    public var tls: TLS?

    public init(
        place: Place, user: String? = nil, password: String? = nil, database: Int = 0, keyPrefix: String = "",
        tls: TLS? = nil
    ) {
        self.place = place
        self.user = user
        self.password = password
        self.database = database
        self.keyPrefix = keyPrefix
        self.tls = tls
    }

    static let schemes = ["redis", "rediss", "redis+socket", "redis+unix", "unix"]

    /// - Throws: `StoreFailure`, permanent, with the fix; it never shows the password.
    public init(url text: String) throws(StoreFailure) {
        let url: ConnectionURL
        do throws(ConnectionURLError) {
            url = try ConnectionURL(parsing: text)
        } catch {
            throw Self.malformed(error)
        }
        guard let first = url.hosts.first else { throw Self.malformed("it has no \"://\"") }
        guard Self.schemes.contains(url.scheme) else { throw Self.malformed("it begins with \"\(url.scheme)://\"") }
        guard url.hosts.count == 1 else { throw Self.malformed("it names several hosts") }

        // Credentials at the usual place exclude those among the parameters.
        user = url.user.map { $0.isEmpty ? nil : $0 } ?? url[parameter: "username"]
        password = url.user == nil ? url[parameter: "password"] : url.password

        if url.scheme == "rediss" { tls = try TLS(url) } else { try TLS.refuse(in: url) }

        let number: String?
        switch url.scheme {
        case "redis", "rediss":
            place = .host(first.name.isEmpty ? "localhost" : first.name, port: first.port ?? 6379)
            number = url[parameter: "db"] ?? String(url.path.dropFirst())
        default:
            guard first == ConnectionURL.Host(name: ""), url.path.hasPrefix("/") else {
                throw Self.malformed("the socket's path is not absolute")
            }
            place = .socket(url.path)
            number = url[parameter: "db"] ?? url[parameter: "virtual_host"]
        }
        guard let database = number.flatMap({ $0.isEmpty ? nil : $0 }).map({ Int($0) }) ?? 0, database >= 0 else {
            throw Self.malformed("the database is no number")
        }
        self.database = database
        keyPrefix = url[parameter: "global_keyprefix"] ?? ""
    }

    /// The prefix as keys begin with it.
    var effectivePrefix: String {
        guard let last = keyPrefix.last else { return "" }
        return ":_-.".contains(last) ? keyPrefix : keyPrefix + "_"
    }

    private static func malformed(_ error: ConnectionURLError) -> StoreFailure {
        switch error {
        case .noScheme: malformed("it has no \"://\"")
        case .badPort: malformed("the port is not between 1 and 65535")
        case .badEncoding: malformed("its percent-encoding is broken")
        case .unclosedBracket, .bareIPv6: malformed("an IPv6 address stands in brackets: redis://[::1]:6379/0")
        }
    }

    private static func malformed(_ reason: String) -> StoreFailure {
        StoreFailure(
            "The Redis address cannot be used: \(reason)", .refused,
            fix: "Write redis(s)://[user:password@]host[:port][/db] or unix:///path/to/redis.sock")
    }
}

extension RedisAddress: CustomStringConvertible {
    /// Without the password.
    public var description: String {
        let who = user.map { "\($0)@" } ?? ""
        switch place {
        case .host(let host, let port):
            let scheme = tls == nil ? "redis" : "rediss"
            return "\(scheme)://\(who)\(host.contains(":") ? "[\(host)]" : host):\(port)/\(database)"
        case .socket(let path):
            return "unix://\(who)\(path)?db=\(database)"
        }
    }
}
