// The address of an outside system, read once for all of them: scheme, credentials, hosts, path, parameters.

/// `scheme://user:password@host:port,host:port/path?name=value&…`, or `scheme:path`, percent-coded.
///
/// What the parts mean, and which of them may be left out, is for the system to say. Printed, it shows no secrets.
public struct ConnectionURL: Sendable, Equatable {
    public struct Host: Sendable, Equatable {
        /// Without the brackets of an IPv6 address; empty: not given.
        public var name: String
        /// 1…65535; nil: not given.
        public var port: Int?

        public init(name: String, port: Int? = nil) {
            self.name = name
            self.port = port
        }
    }

    public struct Parameter: Sendable, Equatable {
        public var name: String
        /// nil: without "=".
        public var value: String?
    }

    /// In lower case.
    public let scheme: String
    /// nil: no credentials are given; empty: only a password is.
    public let user: String?
    /// nil: none is given.
    public let password: String?
    /// Several are separated by commas. Empty: there is no "//".
    public let hosts: [Host]
    /// With the slash that ends the hosts.
    public let path: String
    /// In their order.
    public let parameters: [Parameter]
    /// As it was written.
    let text: String

    /// - Throws: what is wrong with the first part that cannot be read.
    public init(parsing text: String) throws(ConnectionURLError) {
        guard let colon = text.firstIndex(of: ":"), Self.isScheme(text[..<colon]) else { throw .noScheme }
        self.text = text
        scheme = text[..<colon].lowercased()
        var rest = text[text.index(after: colon)...]
        var query: Substring = ""
        if let mark = rest.firstIndex(of: "?") {
            query = rest[rest.index(after: mark)...]
            rest = rest[..<mark]
        }
        guard rest.hasPrefix("//") else {
            (user, password, hosts) = (nil, nil, [])
            path = try Self.decoded(rest, .path)
            parameters = try Self.parameters(query)
            return
        }
        rest = rest.dropFirst(2)
        let pathStart = Self.endOfAuthority(rest)
        path = try Self.decoded(rest[pathStart...], .path)
        var authority = rest[..<pathStart]
        // The last @ ends the credentials: a bare @ in a password is a common slip, and harmless.
        if let at = authority.lastIndex(of: "@") {
            let pair = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = try Self.decoded(pair[0], .user)
            password = pair.count > 1 ? try Self.decoded(pair[1], .password) : nil
            authority = authority[authority.index(after: at)...]
        } else {
            (user, password) = (nil, nil)
        }
        var hosts: [Host] = []
        for one in authority.split(separator: ",", omittingEmptySubsequences: false) {
            hosts.append(try Self.host(one))
        }
        self.hosts = hosts
        parameters = try Self.parameters(query)
    }

    /// Several addresses separated by `;`, as Celery writes alternates; blanks around them and empty ones are left out.
    public static func split(_ text: String) -> [String] {
        text.split(separator: ";").compactMap { part in
            let start = part.drop { $0.isWhitespace }
            let end = start.lastIndex { !$0.isWhitespace }
            return end.map { String(start[...$0]) }
        }
    }

    /// "amqp" of "amqp://…", in lower case; the whole word when there is no colon.
    public static func scheme(of text: String) -> String { text.prefix { $0 != ":" }.lowercased() }

    /// The last of this name, as in most clients; a name without "=" counts as empty.
    public subscript(parameter name: String) -> String? {
        parameters.last { $0.name == name }.map { $0.value ?? "" }
    }

    // ---- reading ----

    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, isLetter(first) else { return false }
        return text.utf8.allSatisfy { isLetter($0) || isDigit($0) || "+-.".utf8.contains($0) }
    }

    /// The first slash; but if what stands before it cannot be hosts with ports, and an @ comes later, then the slash
    /// belongs to the password.
    private static func endOfAuthority(_ text: Substring) -> Substring.Index {
        let slash = text.firstIndex(of: "/") ?? text.endIndex
        guard !text[..<slash].contains("@"), !looksLikeHosts(text[..<slash]), let at = text.lastIndex(of: "@") else {
            return slash
        }
        return text[at...].firstIndex(of: "/") ?? text.endIndex
    }

    private static func looksLikeHosts(_ text: Substring) -> Bool {
        text.split(separator: ",").allSatisfy { host in
            guard let colon = host.lastIndex(of: ":") else { return true }
            return host.hasPrefix("[") || host[host.index(after: colon)...].utf8.allSatisfy(isDigit)
        }
    }

    private static func host(_ text: Substring) throws(ConnectionURLError) -> Host {
        var name = text
        var port: Substring = ""
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { throw .unclosedBracket }
            name = text[..<close].dropFirst()
            let after = text[close...].dropFirst()
            if after.hasPrefix(":") { port = after.dropFirst() }
        } else if let colon = text.lastIndex(of: ":") {
            name = text[..<colon]
            port = text[colon...].dropFirst()
            if name.contains(":") { throw .bareIPv6 }
        }
        var host = Host(name: try decoded(name, .host))
        if !port.isEmpty {
            guard let number = Int(port), (1...65535).contains(number) else { throw .badPort(String(port)) }
            host.port = number
        }
        return host
    }

    private static func parameters(_ query: Substring) throws(ConnectionURLError) -> [Parameter] {
        var found: [Parameter] = []
        for item in query.split(separator: "&") {
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = try decoded(pair[0], .parameter(String(pair[0])))
            let value = pair.count > 1 ? try decoded(pair[1], .parameter(name)) : nil
            found.append(Parameter(name: name, value: value))
        }
        return found
    }

    private static func decoded(_ text: Substring, _ part: Part) throws(ConnectionURLError) -> String {
        guard let plain = decoded(text), !plain.utf8.contains(0) else { throw .badEncoding(part) }
        return plain
    }
}

extension ConnectionURL {
    /// What can be wrongly encoded.
    public enum Part: Sendable, Equatable {
        case user, password, host, path
        case parameter(String)
    }
}

/// Why a text is no address. The text itself is not repeated: it may hold a password.
public enum ConnectionURLError: Error, Sendable, Equatable {
    case noScheme
    /// A `%` without two hexadecimal digits, bytes that are no UTF-8, or a zero byte.
    case badEncoding(ConnectionURL.Part)
    case badPort(String)
    /// An IPv6 address lacks its "]".
    case unclosedBracket
    /// An IPv6 address without brackets.
    case bareIPv6
}
