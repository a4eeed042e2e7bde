import Engine
import TaskModel

extension ConfigurationBuilder {
    func checkScopes(_ made: Configuration) throws(CommandFailure) {
        guard made.sharedLimits == .none,
            let task = made.tasks.filter({ $0.value.limitScope == .global }).keys.sorted().first
        else { return }
        throw .configuration(
            "tasks.\"\(task)\".limit_scope is \"global\", and there is no place that all workers share",
            fix: "set shared_limits.url to a redis:// or sqlite: address, or limit_scope to \"worker\"")
    }

    /// How often tasks start, how many run, and whose.
    func fillLimits(of name: String, _ made: inout TaskOptions) throws(CommandFailure) {
        func text(_ key: String) -> (text: String, origin: String)? {
            guard let found = settings[["tasks", name, key]], case .text(let text) = found.value else { return nil }
            return (text, found.origin)
        }
        if let (rate, origin) = text("rate_limit") {
            guard isRateLimit(rate) else {
                throw .configuration("\(origin): no rate \"\(rate)\"", fix: "write 10/s, 100/m or 1000/h")
            }
            made.rateLimit = rate
        }
        if let (key, origin) = text("limit_key") {
            guard LimitKey(key) != nil else {
                throw .configuration(
                    "\(origin): no key \"\(key)\"",
                    fix: "write an argument's name (url), its position (0), or url:domain for the host in it")
            }
            made.limitKey = key
        }
        made.limitScope = text("limit_scope").flatMap { LimitScope(rawValue: $0.text) }
        if case .integer(let most)? = settings[["tasks", name, "max_concurrent"]]?.value { made.maxConcurrent = most }
    }
}
