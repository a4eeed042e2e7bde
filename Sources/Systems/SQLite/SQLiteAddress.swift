// Which file, and how durable: what a `sqlite:` URL says.
import Linux
import TaskModel

/// The address of an embedded broker or result store.
///
/// `sqlite:` and `sqlite://` name the default file, `sqlite:///absolute/path` and `sqlite:relative/path` any other.
/// `?synchronous=normal` trades the last moments before a power cut for speed; `full` is the default.
public struct SQLiteAddress: Sendable, Equatable {
    public enum Durability: String, Sendable {
        /// Confirmed means on the disk: survives a power cut.
        case full
        /// Confirmed means handed to the operating system: survives any crash of processes, not a power cut.
        case normal
    }

    static let schemes = ["sqlite"]

    /// Absolute.
    public var path: String
    public var durability: Durability

    public init(path: String, durability: Durability = .full) {
        self.path = path
        self.durability = durability
    }

    /// - Parameter environment: where the default folder comes from (`XDG_STATE_HOME`, else `HOME`); nil: this
    ///   process's.
    /// - Throws: `SQLiteFailure`, permanent, with the fix.
    public init(url text: String, environment: [String: String]? = nil) throws(SQLiteFailure) {
        let url: ConnectionURL
        do throws(ConnectionURLError) {
            url = try ConnectionURL(parsing: text)
        } catch {
            throw Self.malformed(ConnectionURL.redacted(text), Self.reason(error))
        }
        let shown = url.description
        guard Self.schemes.contains(url.scheme) else { throw Self.malformed(shown, Self.reason(.noScheme)) }
        guard url.user == nil, url.hosts.allSatisfy({ $0 == ConnectionURL.Host(name: "") }), url.hosts.count <= 1 else {
            throw Self.malformed(shown, "a file has no host part")
        }
        durability = .full
        for parameter in url.parameters { durability = try Self.durability(parameter, shown) }
        switch url.path {
        case "": path = try Self.defaultPath(environment ?? ThisProcess.environment)
        case let absolute where absolute.hasPrefix("/"): path = absolute
        case let relative: path = Files.absolute(relative)
        }
        if path.hasSuffix("/") { throw Self.malformed(shown, "it names no file") }
    }

    /// `$XDG_STATE_HOME/taskhost/taskhost.db`, else `~/.local/state/taskhost/taskhost.db`.
    public static func defaultPath(_ environment: [String: String]) throws(SQLiteFailure) -> String {
        // The XDG rules: a relative path is to be ignored.
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") {
            return state + "/taskhost/taskhost.db"
        }
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw SQLiteFailure(
                .permanent, "No place for the embedded broker: neither XDG_STATE_HOME nor HOME is set",
                fix: "Name the file: --broker sqlite:///path/to/taskhost.db")
        }
        return home + "/.local/state/taskhost/taskhost.db"
    }

    private static func durability(
        _ parameter: ConnectionURL.Parameter, _ url: String
    ) throws(SQLiteFailure) -> Durability {
        guard parameter.name == "synchronous", let value = parameter.value.flatMap(Durability.init(rawValue:)) else {
            let item = parameter.name + (parameter.value.map { "=" + $0 } ?? "")
            throw malformed(url, "\"\(item)\" is not understood; known is synchronous=full or synchronous=normal")
        }
        return value
    }

    private static func reason(_ error: ConnectionURLError) -> String {
        switch error {
        case .noScheme: "it does not begin with \"sqlite:\""
        case .badEncoding: "its percent-encoding is broken"
        case .badPort, .unclosedBracket, .bareIPv6: "a file has no host part"
        }
    }

    private static func malformed(_ url: String, _ reason: String) -> SQLiteFailure {
        SQLiteFailure(
            .permanent, "The SQLite address \"\(url)\" cannot be used: \(reason)",
            fix: "Write sqlite:///absolute/path, sqlite:relative/path, or sqlite: for the default file")
    }
}

extension SQLiteAddress: CustomStringConvertible {
    public var description: String { "sqlite://\(path)" + (durability == .normal ? "?synchronous=normal" : "") }
}
