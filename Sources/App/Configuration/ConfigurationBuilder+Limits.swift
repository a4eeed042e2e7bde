import Engine
import Output
import Ports
import Settings
import TaskModel
import Transports

extension ConfigurationBuilder {
    func checkScopes(_ made: Configuration) throws(CommandFailure) {
        guard made.sharedLimits == .none,
            let task = made.tasks.filter({ $0.value.limitScope == .global }).keys.sorted().first
        else { return }
        throw .configuration(
            "tasks.\"\(task)\".limit_scope is \"global\", and there is no place that all workers share",
            fix: "set shared_limits.url to a \(Transports.list(Transports.limits.map { $0.shortForm })) address, "
                + "or limit_scope to \"worker\"")
    }

    /// - Throws: a limit that cannot be read.
    func taskOptions(of name: String) throws(CommandFailure) -> TaskOptions {
        let made = settings.taskOptions(of: name)
        func origin(_ key: String) -> String { settings[["tasks", name, key]]?.origin ?? "" }
        if let rate = made.rateLimit, !isRateLimit(rate) {
            throw .configuration("\(origin("rate_limit")): no rate \"\(rate)\"", fix: "write 10/s, 100/m or 1000/h")
        }
        if let key = made.limitKey, LimitKey(key) == nil {
            throw .configuration(
                "\(origin("limit_key")): no key \"\(key)\"",
                fix: "write an argument's name (url), its position (0), or url:domain for the host in it")
        }
        return made
    }
}
