// Limits that all hosts of one file keep together: starts by time, running ones by lease and by whose process lives.
public import Ports
public import TaskModel

public final class SQLiteLimits: SharedLimits {
    public var description: String { file.address.description }

    private let file: SQLiteFile
    private let log: (LogLevel, String) -> Void
    private var isAttached = false

    /// Opens the file, if it is not open, when it is first asked.
    /// - Parameter log: levels 0 debug … 3 error.
    public init(file: SQLiteFile, log: @escaping (LogLevel, String) -> Void) {
        self.file = file
        self.log = log
    }

    public func acquire(
        _ claim: PermitRequest, leaseSeconds: Double, done: @escaping (Result<LimitAnswer, StoreFailure>) -> Void
    ) {
        attach()
        file.submit(.write) { db in
            try LimitRows(db).acquire(claim, leaseSeconds: leaseSeconds, by: .current)
        } done: { result in
            done(result.mapError(\.asStoreFailure))
        }
    }

    public func renew(_ claims: [PermitRequest], leaseSeconds: Double, done: @escaping (StoreFailure?) -> Void) {
        guard !claims.isEmpty else { return done(nil) }
        attach()
        file.submit(.write) { db in
            let rows = try LimitRows(db)
            for claim in claims { try rows.lend(claim, seconds: leaseSeconds, to: .current) }
        } done: { result in
            done(result.storeFailure)
        }
    }

    /// What cannot be released lapses.
    public func release(_ claim: PermitRequest) {
        attach()
        file.submit(.write) { db in
            try LimitRows(db).release(claim)
        } done: { [log] result in
            if case .failure(let failure) = result {
                log(.warning, "Place of a limited task not given back: \(failure)")
            }
        }
    }

    public func close(done: @escaping () -> Void) {
        guard isAttached else { return done() }
        isAttached = false
        file.detach(self, done: done)
    }

    private func attach() {
        guard !isAttached else { return }
        isAttached = true
        file.attach(self)
    }
}

extension SQLiteLimits: FileUser {
    func fileUp() {}
    func fileDown(_ failure: SQLiteFailure, retryInSeconds: Double) {
        log(
            .warning, "Shared limits out of reach: \(failure). Trying again in \(retryInSeconds) s; limited tasks wait."
        )
    }
    func fileBlocked(_ failure: SQLiteFailure?) {
        if let failure { log(.warning, "Shared limits out of reach: \(failure). Limited tasks wait.") }
    }
    func fileUnusable(_ failure: SQLiteFailure) { log(.error, "Shared limits out of reach: \(failure)") }
    func fileChanged() {}
}
