// Why a loop could not be made.

internal import CLinux
internal import Glibc

/// The kernel refused a loop's descriptor; almost always the process has too many open.
public struct LoopFailure: Error, Sendable, CustomStringConvertible {
    public var call: String
    /// errno.
    public var code: Int32

    public init(call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    public var description: String {
        let reason = String(cString: strerror(code))
        let fix =
            code == EMFILE || code == ENFILE
            ? " Raise the limit of open files (ulimit -n, LimitNOFILE=)." : ""
        return "\(call) failed: \(reason).\(fix)"
    }
}

/// The descriptor a call gave, or its failure.
func checked(_ call: String, _ result: Int32) throws(LoopFailure) -> Int32 {
    guard result >= 0 else { throw LoopFailure(call: call, code: -result) }
    return result
}
