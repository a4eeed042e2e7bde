// One start of a task, from when it is handed to the runner until it has finished.
import Ports

/// A reference: the core changes it in place while its task is in the phase `.dispatched` or `.running`.
final class Execution {
    let run: RunID
    /// Its place among those that are ready, should it be returned; nil: it has begun before.
    let order: UInt64?
    /// Of the child that began it; 0: none has.
    var pid: Int32 = 0
    /// The signal it was ended with because it was revoked.
    var terminatedBy: Int32?
    /// What the running task said last, cut short.
    var lastLine: String?

    /// - Parameter earlier: the call before this one in a series of calls that is one task (`celery.map`).
    init(_ run: RunID, after earlier: Execution?, order: UInt64?) {
        self.run = run
        self.order = order
        terminatedBy = earlier?.terminatedBy
        lastLine = earlier?.lastLine
    }
}
