// Starts that are written down before they happen, so that a task that kills its host is known by them.
//
// A host that dies cannot say what it ran. Brokers that keep what each host holds keep what of it has started, too
// (`Broker.recordStarts`), and say with the next delivery how many starts ended with their host. For others the result
// store keeps a small counter, for messages that the broker has handed out before (`StartLedger`).
/// Counters of starts by name, in a store that outlives hosts. All calls and callbacks on the loop's thread.
public protocol StartLedger: AnyObject {
    /// Starts written down under this name that were not settled since; 0 if there is no such counter.
    func lostStarts(_ name: String, done: @escaping (Result<Int, StoreFailure>) -> Void)

    /// One more, before it happens.
    /// - Parameter keepSeconds: after which the store may forget it.
    func recordStart(_ name: String, keepSeconds: Double, done: @escaping (StoreFailure?) -> Void)

    /// It was requeued without having run to an end: one less.
    func takeBackStart(_ name: String)

    /// It is settled.
    func forgetStarts(_ name: String)
}
