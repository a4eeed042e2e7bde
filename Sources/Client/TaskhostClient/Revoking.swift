// Results of tasks that are no longer wanted.
import Client
import Ports

extension TaskhostClient {
    /// Tells all workers not to run these tasks.
    /// - Parameter signal: nil: those that run already go on; else what ends them, e.g. "SIGTERM" or "SIGKILL".
    public func revoke(_ taskIDs: [String], terminate signal: String? = nil) async throws {
        try await thread.revoke(taskIDs, terminate: signal)
    }
}

extension AsyncResult {
    /// Tells all workers not to run this task. Its state becomes REVOKED when a worker meets it.
    /// - Parameter signal: nil: if it runs already it goes on; else what ends it, e.g. "SIGTERM".
    public func revoke(terminate signal: String? = nil) async throws {
        try await thread.revoke([id], terminate: signal)
    }
}

extension GroupResult {
    /// The same for each task of the group.
    public func revoke(terminate signal: String? = nil) async throws {
        let all = results
        guard let thread = all.first?.thread else { return }
        try await thread.revoke(all.map(\.id), terminate: signal)
    }
}

extension LoopThread {
    fileprivate func revoke(_ taskIDs: [String], terminate signal: String?) async throws {
        try await ask("the broker has not taken the revocation", limit: .seconds(10)) { (core, reply: Reply<Void>) in
            let exchange = core.options.controlExchange
            core.client.revoke(taskIDs, terminate: signal, controlExchange: exchange) { failure in
                if let failure { reply.fail(ClientError.refused(failure.description)) } else { reply.succeed(()) }
            }
        }
    }
}
