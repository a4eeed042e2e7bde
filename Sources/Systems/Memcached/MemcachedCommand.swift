// What is asked of memcached, and how its text protocol writes it (protocol.txt of memcached 1.6).

enum MemcachedCommand: Sendable {
    enum Storing: String, Sendable {
        case set
        /// Only if there is none.
        case add
        /// Only if it has not changed since it was read.
        case cas
    }

    /// Answered with those that are there.
    case get([String])
    /// - `expires`: as `MemcachedExpiry` says it; `version`: of `cas`.
    case store(Storing, String, [UInt8], expires: Int64, version: UInt64?)
    case increment(String)
    case decrement(String)
    case touch(String, expires: Int64)
    case delete(String)
    case version
    /// "settings"; nil: the usual ones.
    case stats(String?)

    /// Memory that it keeps while it waits.
    var bytes: Int {
        switch self {
        case .get(let keys): keys.reduce(32) { $0 + $1.utf8.count }
        case .store(_, _, let value, _, _): 128 + value.count
        default: 128
        }
    }

    func append(to out: inout [UInt8]) {
        switch self {
        case .get(let keys): Self.line("gets \(keys.joined(separator: " "))", &out)
        case .store(let how, let key, let value, let expires, let version):
            // Flags 0: bytes as they are, to every client.
            let check = version.map { " \($0)" } ?? ""
            Self.line("\(how.rawValue) \(key) 0 \(expires) \(value.count)\(check)", &out)
            out += value
            Self.line("", &out)
        case .increment(let key): Self.line("incr \(key) 1", &out)
        case .decrement(let key): Self.line("decr \(key) 1", &out)
        case .touch(let key, let expires): Self.line("touch \(key) \(expires)", &out)
        case .delete(let key): Self.line("delete \(key)", &out)
        case .version: Self.line("version", &out)
        case .stats(let of): Self.line(of.map { "stats \($0)" } ?? "stats", &out)
        }
    }

    private static func line(_ text: String, _ out: inout [UInt8]) {
        out += text.utf8
        out += [13, 10]
    }
}

/// Keys as memcached takes them.
enum MemcachedKey {
    static let maxBytes = 250

    /// Without blanks and control characters. Clients refuse what is not ASCII.
    static func isValid(_ key: String) -> Bool {
        key.utf8.count <= maxBytes && key.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }
}

enum MemcachedExpiry {
    /// A longer time memcached takes for a point in time.
    private static let maxRelative: Int64 = 30 * 86_400

    /// - Parameters:
    ///   - seconds: for at least so long; nil or 0: for ever.
    ///   - now: seconds since 1970.
    static func text(_ seconds: Double?, now: Int64) -> Int64 {
        guard let seconds, seconds > 0 else { return 0 }
        // Memcached counts whole seconds of a clock of its own: the first may be over at once.
        let whole = Int64(min(seconds, 1e10).rounded(.up)) + 1
        return whole > maxRelative ? now + whole : whole
    }
}
