// What can go wrong at a result store, sorted once: only what is wrong with one record is final for that record.
import TaskModel

public struct StoreFailure: Error, Sendable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        /// The store is away, unwell, moved (a fail-over), or says something unknown.
        case unavailable
        /// It does not let us in as we are set up: address, password, certificate.
        case refused
        /// It lets us in and forbids this command or key (a Redis ACL).
        case forbidden
        /// It will never take this record: too large, another kind of value under its key, no way to write it.
        case unfit
    }

    public var code: Code
    public var detail: String
    public var fix: String?

    public init(_ detail: String, _ code: Code = .unavailable, fix: String? = nil) {
        self.code = code
        self.detail = detail
        self.fix = fix
    }

    /// Storing the same record again cannot help. A password that was turned, rights that are not loaded yet and a
    /// fail-over are mended by an operator or by time: results wait for them.
    public var isPermanent: Bool { code == .unfit }

    public var description: String { failureText(detail, fix: fix) }
}
