// Why the kernel refused.
import Glibc

/// The `errno` of a call that failed.
public struct SystemFailure: Error, Sendable, Equatable, CustomStringConvertible {
    public var code: Int32

    public init(code: Int32) { self.code = code }

    /// Of the call before.
    public init() { code = errno }

    /// In the C library's words: "No such file or directory".
    public var description: String { String(cString: strerror(code)) }
}
