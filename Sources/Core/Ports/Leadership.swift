// One of several processes leads; what it must not forget lies where the next leader finds it.

/// All calls and callbacks on the loop's thread.
public protocol Leadership: AnyObject {
    /// Wants to lead, from now on and after each loss. Another takes over within 10 s of a leader's death.
    func campaign(_ report: @escaping (LeadershipEvent) -> Void)

    /// True while no other process can have taken over.
    var isLeading: Bool { get }

    /// Stores it for the next leader; a failure ends this one's time, and is reported as `lost`.
    /// - Parameter done: called when it is stored.
    func remember(_ memory: [UInt8], done: @escaping () -> Void)

    /// Lets others lead at once.
    func resign(done: @escaping () -> Void)
}

public enum LeadershipEvent: Sendable {
    /// - Parameter memory: the last that was stored; nil: none yet.
    case leading(memory: [UInt8]?)
    /// Another leads.
    case following
    /// No longer leading, or it could not be tried; it is tried again.
    case lost(String)
}
