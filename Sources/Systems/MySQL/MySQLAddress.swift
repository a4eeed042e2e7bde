// Where MySQL or MariaDB is, as Celery and SQLAlchemy write it.
public import Ports
public import TaskModel

/// `mysql://[user[:password]@][host[:port]][/database][?name=value&…]`, or `mariadb://…`, with `db+` before it and
/// SQLAlchemy's name of a driver (`+pymysql`) behind the scheme or not.
///
/// Parameters are those that SQLAlchemy hands to PyMySQL and mysqlclient: `unix_socket`, `ssl_ca`, `ssl_mode` … What sets
/// the sending of statements (`charset` …) is read over: it is ours to choose.
public struct MySQLAddress: Sendable, Equatable {
    /// nil: a Unix socket.
    public var host: ConnectionURL.Host?
    /// nil: the library's own.
    public var socket: String?
    public var user: String?
    public var password: String?
    public var database: String?
    public var tls: MySQLTLS

    static let schemes: [String] = {
        let drivers = [
            "", "+mysqldb", "+pymysql", "+mysqlconnector", "+mariadbconnector", "+asyncmy", "+aiomysql", "+cymysql",
        ]
        let plain = ["mysql", "mariadb"].flatMap { name in drivers.map { name + $0 } }
        return plain + plain.map { "db+" + $0 }
    }()

    /// - Throws: with the fix; it never shows the password.
    public init(url text: String) throws(StoreFailure) {
        let url: ConnectionURL
        do throws(ConnectionURLError) {
            url = try ConnectionURL(parsing: text)
        } catch {
            throw Self.malformed(error)
        }
        guard let first = url.hosts.first else { throw Self.malformed("it has no \"://\"") }
        guard Self.schemes.contains(url.scheme) else { throw Self.malformed("it begins with \"\(url.scheme)://\"") }
        guard url.hosts.count == 1 else {
            throw Self.malformed("it names several hosts; name one, or a proxy before them")
        }
        tls = try MySQLTLS(url)
        socket = url[parameter: "unix_socket"]
        host = first.name.isEmpty || socket != nil ? nil : first
        user = url.user.flatMap { $0.isEmpty ? nil : $0 }
        password = url.password
        database = url.path.count > 1 ? String(url.path.dropFirst()) : nil
        for parameter in url.parameters where !Self.isKnown(parameter.name) {
            throw StoreFailure(
                "The MySQL address has a parameter that is not known here: \(parameter.name)", .refused,
                fix:
                    "Leave it out, or write unix_socket, ssl_ca, ssl_capath, ssl_cert, ssl_key, ssl_key_password, ssl_cipher, "
                    + "ssl_check_hostname, ssl_verify_cert, ssl_mode, ssl or ssl_disabled")
        }
    }

    private static func isKnown(_ name: String) -> Bool {
        name == "unix_socket" || MySQLTLS.names.contains(name) || unused.contains(name)
    }

    /// Of the drivers, about what is settled here otherwise.
    private static let unused: Set<String> = [
        "charset", "use_unicode", "collation", "binary_prefix", "connect_timeout", "read_timeout", "write_timeout",
        "sql_mode",
        "autocommit", "local_infile", "program_name", "compress",
    ]

    static func malformed(_ reason: String) -> StoreFailure {
        StoreFailure(
            "The MySQL address cannot be used: \(reason)", .refused,
            fix: "Write mysql://[user[:password]@]host[:port]/database")
    }

    private static func malformed(_ error: ConnectionURLError) -> StoreFailure {
        switch error {
        case .noScheme: malformed("it has no \"://\"")
        case .badPort: malformed("the port is not between 1 and 65535")
        case .badEncoding: malformed("its percent-encoding is broken")
        case .unclosedBracket, .bareIPv6: malformed("an IPv6 address stands in brackets: mysql://[::1]:3306/celery")
        }
    }
}

extension MySQLAddress: CustomStringConvertible {
    /// Without the password, and without parameters but the socket.
    public var description: String {
        let place = host.map { host in
            let name = host.name.contains(":") ? "[\(host.name)]" : host.name
            return name + (host.port.map { ":\($0)" } ?? "")
        }
        let who = user.map { "\($0)@" } ?? ""
        return "mysql://\(who)\(place ?? "")/\(database ?? "")" + (socket.map { "?unix_socket=\($0)" } ?? "")
    }
}
