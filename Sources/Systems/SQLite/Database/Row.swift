// Reading columns that may hold anything: tables older than layout 3 take any type, and anybody may write into a file.

/// The row a statement stands on. Good only until the closure it was given to returns.
struct Row {
    private let statement: Statement
    private let handle: OpaquePointer

    init(_ statement: Statement, _ handle: OpaquePointer) {
        self.statement = statement
        self.handle = handle
    }

    /// nil: NULL, or something that is none of these.
    func read<Value: DatabaseValue>(_ column: String) -> Value? {
        guard let place = statement.columns.firstIndex(of: column) else { return nil }
        return Value.read(handle, Int32(place))
    }

    /// By its place, from 0.
    func read<Value: DatabaseValue>(_ column: Int) -> Value? { Value.read(handle, Int32(column)) }

    /// Of a host, the leader or a limit's place; nil: unreadable.
    var identity: HostIdentity? {
        guard let pid: Int32 = read("pid"), let started: Int64 = read("started"), let boot: String = read("boot"),
            let namespace: String = read("pid_namespace")
        else { return nil }
        return HostIdentity(pid: pid, started: started, boot: boot, namespace: namespace)
    }
}
