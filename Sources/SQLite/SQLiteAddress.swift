// Which file, and how durable: what a `sqlite:` URL says.
import Foundation

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
    public init(url: String, environment: [String: String]? = nil) throws(SQLiteFailure) {
        guard let colon = url.firstIndex(of: ":"), url[..<colon] == "sqlite" else {
            throw Self.malformed(url, "it does not begin with \"sqlite:\"")
        }
        let rest = url[url.index(after: colon)...]
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        durability = try Self.durability(query: parts.count > 1 ? String(parts[1]) : "", url: url)

        guard let decoded = String(parts[0]).removingPercentEncoding else {
            throw Self.malformed(url, "its percent-encoding is broken")
        }
        switch decoded {
        case "", "//":
            path = try Self.defaultPath(environment ?? ProcessInfo.processInfo.environment)
        case let text where text.hasPrefix("///"):
            path = String(text.dropFirst(2))
        case let text where text.hasPrefix("//"):
            throw Self.malformed(url, "a file has no host part")
        case let text where text.hasPrefix("/"):
            path = text
        case let text:
            path = FileManager.default.currentDirectoryPath + "/" + text
        }
        guard !path.hasSuffix("/"), !path.utf8.contains(0) else {
            throw Self.malformed(url, "it names no file")
        }
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

    private static func durability(query: String, url: String) throws(SQLiteFailure) -> Durability {
        var durability = Durability.full
        for item in query.split(separator: "&") {
            let pair = item.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, pair[0] == "synchronous", let value = Durability(rawValue: String(pair[1])) else {
                throw malformed(url, "\"\(item)\" is not understood; known is synchronous=full or synchronous=normal")
            }
            durability = value
        }
        return durability
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
