// Where PostgreSQL is, as Celery and SQLAlchemy write it, and as libpq wants it.
public import Ports
public import TaskModel

/// `postgresql://[user[:password]@][host[:port],…][/database][?name=value&…]`, with `db+` before it and SQLAlchemy's
/// name of a driver (`+psycopg2`) behind the scheme or not.
///
/// Parameters are libpq's (`sslmode`, `sslrootcert`, `application_name`, `options` …), as with psycopg. `host`, once or
/// several times, names hosts, perhaps with a port (`?host=a:5432&host=b:5432`), or the folder of a Unix socket. What is
/// left out comes from libpq's own variables and files (`PGUSER`, `~/.pgpass` …).
public struct PostgreSQLAddress: Sendable, Equatable {
    /// Host, or folder of a socket; empty: libpq's default.
    public var hosts: [ConnectionURL.Host]
    public var user: String?
    public var password: String?
    public var database: String?
    /// libpq's keywords.
    public var parameters: [Parameter]

    public struct Parameter: Sendable, Equatable {
        public var name: String
        public var value: String
    }

    static let schemes =
        ["postgresql", "db+postgresql", "postgres", "db+postgres"]
        + ["psycopg2", "psycopg", "asyncpg", "pg8000", "psycopg2cffi"].flatMap {
            ["db+postgresql+\($0)", "postgresql+\($0)"]
        }

    /// - Throws: with the fix; it never shows the password.
    public init(url text: String) throws(StoreFailure) {
        let url: ConnectionURL
        do throws(ConnectionURLError) {
            url = try ConnectionURL(parsing: text)
        } catch {
            throw Self.malformed(error)
        }
        guard !url.hosts.isEmpty else { throw Self.malformed("it has no \"://\"") }
        guard Self.schemes.contains(url.scheme) else { throw Self.malformed("it begins with \"\(url.scheme)://\"") }
        let named = url.parameters.filter { $0.name == "host" }.compactMap(\.value)
        hosts = named.isEmpty ? url.hosts.filter { !$0.name.isEmpty || $0.port != nil } : []
        for text in named.flatMap({ $0.split(separator: ",") }) { hosts.append(try Self.host(text)) }
        if let port = url.parameters.last(where: { $0.name == "port" })?.value.flatMap({ Int($0) }) {
            for index in hosts.indices where hosts[index].port == nil { hosts[index].port = port }
        }
        user = url.user.flatMap { $0.isEmpty ? nil : $0 }
        password = url.password
        database = url.path.count > 1 ? String(url.path.dropFirst()) : nil
        parameters = url.parameters.filter { !Self.ownNames.contains($0.name) }.map {
            Parameter(name: $0.name, value: $0.value ?? "")
        }
        for name in ["user", "password", "dbname"] {
            guard let value = url[parameter: name] else { continue }
            switch name {
            case "user": user = value
            case "password": password = value
            default: database = value
            }
        }
    }

    private static let ownNames: Set<String> = [
        "host", "port", "user", "password", "dbname", "hostaddr", "client_encoding",
    ]

    private static func host(_ text: Substring) throws(StoreFailure) -> ConnectionURL.Host {
        guard !text.hasPrefix("/"), let colon = text.lastIndex(of: ":"), !text[..<colon].contains(":") else {
            return ConnectionURL.Host(name: String(text))
        }
        guard let port = Int(text[text.index(after: colon)...]), (1...65535).contains(port) else {
            throw malformed("the port is not between 1 and 65535")
        }
        return ConnectionURL.Host(name: String(text[..<colon]), port: port)
    }

    private static func malformed(_ error: ConnectionURLError) -> StoreFailure {
        switch error {
        case .noScheme: malformed("it has no \"://\"")
        case .badPort: malformed("the port is not between 1 and 65535")
        case .badEncoding: malformed("its percent-encoding is broken")
        case .unclosedBracket, .bareIPv6:
            malformed("an IPv6 address stands in brackets: postgresql://[::1]:5432/celery")
        }
    }

    private static func malformed(_ reason: String) -> StoreFailure {
        StoreFailure(
            "The PostgreSQL address cannot be used: \(reason)", .refused,
            fix: "Write postgresql://[user[:password]@]host[:port]/database")
    }
}

extension PostgreSQLAddress {
    /// Hosts whose names have to be looked up.
    var names: [String] { hosts.map(\.name).filter { !$0.isEmpty && !$0.hasPrefix("/") } }

    /// - Parameter found: numeric addresses by name; a name is tried at each of its own.
    func keywords(_ found: [String: [String]]) -> [(name: String, value: String)] {
        var words: [(name: String, value: String)] = []
        var (names, numbers, ports): ([String], [String], [String]) = ([], [], [])
        for host in hosts {
            for number in found[host.name] ?? [""] {
                names.append(host.name)
                numbers.append(number)
                ports.append(host.port.map { "\($0)" } ?? "")
            }
        }
        if !names.isEmpty {
            words.append(("host", names.joined(separator: ",")))
            words.append(("hostaddr", numbers.joined(separator: ",")))
            words.append(("port", ports.joined(separator: ",")))
        }
        if let user { words.append(("user", user)) }
        if let password { words.append(("password", password)) }
        if let database { words.append(("dbname", database)) }
        // Of several servers only one takes writes.
        if hosts.count > 1 { words.append(("target_session_attrs", "read-write")) }
        words.append(("fallback_application_name", "taskhost"))
        words += parameters.map { ($0.name, $0.value) }
        words.append(("client_encoding", "UTF8"))
        return words
    }
}

extension PostgreSQLAddress: CustomStringConvertible {
    /// Without the password, and without parameters.
    public var description: String {
        let places = hosts.map { host in
            let name = host.name.contains(":") ? "[\(host.name)]" : host.name
            return name + (host.port.map { ":\($0)" } ?? "")
        }
        let who = user.map { "\($0)@" } ?? ""
        return "postgresql://\(who)\(places.joined(separator: ","))/\(database ?? "")"
    }
}
