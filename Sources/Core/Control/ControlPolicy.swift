// What an operator lets remote control do: `[control] read_only`, `require_signed` and `require_fresh`.

/// What speaks for a command.
enum ControlProof: Equatable {
    case none
    /// By a certificate that we know, at an unknown time.
    case signed
    /// Signed just now, and not received before.
    case fresh
    /// Signed, and its own mark speaks against it: sent again, as a rule. The rest of a sentence about the command.
    case stale(String)
}

public struct ControlPolicy: Sendable, Equatable {
    /// Nothing that changes this worker is obeyed.
    public var isReadOnly: Bool
    /// Only who signs with a certificate that we know may change it.
    public var requiresSigned: Bool
    /// And only with a command of this moment: those of Celery's clients say nothing of their age.
    public var requiresFresh: Bool

    public init(isReadOnly: Bool = false, requiresSigned: Bool = false, requiresFresh: Bool = false) {
        self.isReadOnly = isReadOnly
        self.requiresSigned = requiresSigned || requiresFresh
        self.requiresFresh = requiresFresh
    }

    func allowsChange(_ proof: ControlProof) -> Bool {
        if isReadOnly { return false }
        return switch proof {
        case .none: !requiresSigned
        case .signed: !requiresFresh
        case .fresh: true
        case .stale: false
        }
    }

    /// - Throws: the refusal of a command that is not one of those that only look.
    func admit(_ method: String, proof: ControlProof) throws(CommandError) {
        guard !allowsChange(proof) else { return }
        throw CommandError("PermissionError", "\(method): \(refusal(proof))")
    }

    private func refusal(_ proof: ControlProof) -> String {
        if isReadOnly { return "this worker is only to be looked at ([control] read_only)" }
        return switch proof {
        case .stale(let reason): reason
        case .signed, .fresh:
            "only signed commands that say when they were written change this worker ([control] require_fresh): "
                + "taskhost control and taskhost revoke give such"
        case .none: "only signed commands change this worker ([control] require_signed)"
        }
    }
}
