// Where Redis is, as Celery writes it: redis://, rediss://, unix:// and redis+socket:// URLs.
import Foundation
public import Ports

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

    /// - Throws: `StoreFailure`, permanent, with the fix; it never shows the password.
    public init(url: String) throws(StoreFailure) {
        guard let end = url.range(of: "://") else { throw Self.malformed("it has no \"://\"") }
        let scheme = url[..<end.lowerBound].lowercased()
        let parts = url[end.upperBound...].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let query = try Self.parameters(parts.count > 1 ? parts[1] : "")
        var rest = parts[0]

        // The last @ ends the credentials: passwords with a bare @ are a common slip, and harmless.
        if let at = rest.lastIndex(of: "@") {
            let pair = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let name = try Self.decoded(pair[0])
            user = name.isEmpty ? nil : name
            password = pair.count > 1 ? try Self.decoded(pair[1]) : nil
            rest = rest[rest.index(after: at)...]
        } else {
            user = query["username"]
            password = query["password"]
        }

        if scheme == "rediss" { tls = try TLS(query) } else { try TLS.refuse(in: query) }

        let number: String?
        switch scheme {
        case "redis", "rediss":
            let slash = rest.firstIndex(of: "/") ?? rest.endIndex
            place = try Self.host(rest[..<slash])
            number = query["db"] ?? (slash < rest.endIndex ? String(rest[rest.index(after: slash)...]) : nil)
        case "unix", "redis+socket", "redis+unix":
            let path = try Self.decoded(rest)
            guard path.hasPrefix("/") else { throw Self.malformed("the socket's path is not absolute") }
            place = .socket(path)
            number = query["db"] ?? query["virtual_host"]
        default:
            throw Self.malformed("it begins with \"\(scheme)://\"")
        }
        guard let database = number.flatMap({ $0.isEmpty ? nil : $0 }).map({ Int($0) }) ?? 0, database >= 0 else {
            throw Self.malformed("the database is no number")
        }
        self.database = database
        keyPrefix = query["global_keyprefix"] ?? ""
    }

    /// The prefix as keys begin with it.
    var effectivePrefix: String {
        guard let last = keyPrefix.last else { return "" }
        return ":_-.".contains(last) ? keyPrefix : keyPrefix + "_"
    }

    private static func host(_ text: Substring) throws(StoreFailure) -> Place {
        var name = text
        var port: Substring?
        if name.hasPrefix("["), let end = name.firstIndex(of: "]") {
            let after = name[name.index(after: end)...]
            port = after.hasPrefix(":") ? after.dropFirst() : nil
            name = name[name.index(after: name.startIndex)..<end]
        } else if let colon = name.lastIndex(of: ":") {
            port = name[name.index(after: colon)...]
            name = name[..<colon]
        }
        guard let number = port.flatMap({ $0.isEmpty ? nil : $0 }).map({ Int($0) }) ?? 6379,
            (1...65535).contains(number)
        else { throw malformed("the port is not between 1 and 65535") }
        return .host(name.isEmpty ? "localhost" : try decoded(name), port: number)
    }

    private static func parameters(_ text: Substring) throws(StoreFailure) -> [String: String] {
        var found: [String: String] = [:]
        for item in text.split(separator: "&") {
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            found[try decoded(pair[0])] = pair.count > 1 ? try decoded(pair[1]) : ""
        }
        return found
    }

    private static func decoded(_ text: Substring) throws(StoreFailure) -> String {
        guard let decoded = String(text).removingPercentEncoding else {
            throw malformed("its percent-encoding is broken")
        }
        return decoded
    }

    private static func malformed(_ reason: String) -> StoreFailure {
        StoreFailure(
            "The Redis address cannot be used: \(reason)", isPermanent: true,
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
