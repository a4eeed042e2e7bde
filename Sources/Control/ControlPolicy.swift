// What an operator lets remote control do: `[control] read_only` and `require_signed`.

public struct ControlPolicy: Sendable, Equatable {
    /// Nothing that changes this worker is obeyed.
    public var isReadOnly: Bool
    /// Only who signs with a certificate that we know may change it.
    public var requiresSigned: Bool

    public init(isReadOnly: Bool = false, requiresSigned: Bool = false) {
        self.isReadOnly = isReadOnly
        self.requiresSigned = requiresSigned
    }

    /// - Parameter signed: whether the message was, and its signature held.
    func allowsChange(signed: Bool) -> Bool { !isReadOnly && (signed || !requiresSigned) }

    /// - Throws: the refusal of a command that is not one of those that only look.
    func admit(_ method: String, signed: Bool) throws(CommandError) {
        if isReadOnly {
            throw CommandError(
                "PermissionError", "\(method): this worker is only to be looked at ([control] read_only)")
        }
        guard allowsChange(signed: signed) else {
            throw CommandError(
                "PermissionError", "\(method): only signed commands change this worker ([control] require_signed)")
        }
    }
}
