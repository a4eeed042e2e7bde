// Where memcached is, as Celery writes it, and which of several servers a key lies on.
public import Ports
import TaskModel

/// `cache+memcached://host[:port][;host[:port]…]/`; an entry that begins with `/` or `unix:` is the path of a socket.
///
/// `?global_keyprefix=` is ours (Celery has it in its transport options). Names stay as they are written: clients choose
/// the server of a key by them.
public struct MemcachedAddress: Sendable, Equatable {
    public struct Server: Sendable, Hashable {
        public enum Place: Sendable, Hashable {
            case host(String, port: Int)
            /// A Unix socket's path.
            case socket(String)
        }

        public var place: Place

        /// As pymemcache's `HashClient` calls it: what is hashed together with a key.
        var name: String {
            switch place {
            case .host(let host, let port): "\(host):\(port)"
            case .socket(let path): path
            }
        }
    }

    /// At least one, each once.
    public var servers: [Server]
    /// Before all keys; empty: none. `_` is added when it does not end in one of `:_-.`, as Celery does.
    public var keyPrefix: String

    /// The names of Celery's clients, all of which are pymemcache since 5.7.
    static let schemes =
        ["memcached", "memcache", "pylibmc", "pymemcache"].flatMap { [$0, "cache+\($0)"] }
    static let usualPort = 11211

    /// - Throws: with the fix.
    public init(url text: String) throws(StoreFailure) {
        guard let start = text.firstRange(of: "://")?.upperBound else { throw Self.malformed("it has no \"://\"") }
        let scheme = text[..<start].dropLast(3).lowercased()
        guard Self.schemes.contains(scheme) else { throw Self.malformed("it begins with \"\(scheme)://\"") }
        let parts = text[start...].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard !parts[0].contains("@") else {
            throw Self.malformed("it has a user or a password, and the text protocol of memcached takes none")
        }
        keyPrefix = ""
        for item in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            let pair = item.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, pair[0] == "global_keyprefix" else {
                throw Self.malformed("\"\(pair.first ?? "")\" is no parameter of it")
            }
            keyPrefix = String(pair[1])
        }
        var servers: [Server] = []
        var list = parts[0]
        while list.last == "/" { list.removeLast() }
        for entry in list.split(separator: ";") {
            let server = try Self.server(entry)
            if !servers.contains(server) { servers.append(server) }
        }
        guard !servers.isEmpty else { throw Self.malformed("it names no server") }
        self.servers = servers
    }

    private static func server(_ text: Substring) throws(StoreFailure) -> Server {
        if text.hasPrefix("unix:") { return Server(place: .socket(String(text.dropFirst(5)))) }
        if text.hasPrefix("/") { return Server(place: .socket(String(text))) }
        guard !text.contains(","), !text.contains("/") else {
            throw malformed("several servers are separated by \";\"")
        }
        var name = text
        var port = usualPort
        if !text.hasSuffix("]"), let colon = text.lastIndex(of: ":") {
            name = text[..<colon]
            guard let number = Int(text[text.index(after: colon)...]), (1...65535).contains(number) else {
                throw malformed("the port is not between 1 and 65535")
            }
            port = number
        }
        let isBracketed = name.hasPrefix("[") && name.hasSuffix("]")
        if isBracketed { name = name.dropFirst().dropLast() }
        guard isBracketed || !name.contains(":") else {
            throw malformed("an IPv6 address stands in brackets: memcached://[::1]:11211/")
        }
        guard !name.isEmpty else { throw malformed("a server has no name") }
        return Server(place: .host(String(name), port: port))
    }

    private static func malformed(_ reason: String) -> StoreFailure {
        StoreFailure(
            "The memcached address cannot be used: \(reason)", .refused,
            fix: "Write cache+memcached://host[:port][;host[:port]]/")
    }

    /// The prefix as keys begin with it.
    var effectivePrefix: String {
        guard let last = keyPrefix.last else { return "" }
        return ":_-.".contains(last) ? keyPrefix : keyPrefix + "_"
    }
}

extension MemcachedAddress.Server: CustomStringConvertible {
    public var description: String {
        switch place {
        case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .socket(let path): path
        }
    }
}

extension MemcachedAddress: CustomStringConvertible {
    public var description: String { "memcached://\(servers.map(\.description).joined(separator: ";"))/" }
}
