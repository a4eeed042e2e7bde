import Engine
import Output
import Ports
import Settings
import TaskModel
import Transports

extension ConfigurationBuilder {
    func checkScopes(_ made: Configuration) throws(CommandFailure) {
        guard made.sharedLimits == .none,
            let task = made.tasks.names.first(where: { made.tasks[$0]?.limitScope == .global })
        else { return }
        throw .configuration(
            "tasks.\"\(task)\".limit_scope is \"global\", and there is no place that all workers share",
            fix: "set shared_limits.url to a \(Transports.list(Transports.limits.map { $0.shortForm })) address, "
                + "or limit_scope to \"worker\"")
    }

    /// - Throws: a limit that cannot be read.
    func taskOptions(of name: String) throws(CommandFailure) -> TaskOptions {
        var made = settings.taskOptions(of: name)
        func origin(_ key: String) -> String { settings[["tasks", name, key]]?.origin ?? "" }
        if let rate = made.rateLimit, !isRateLimit(rate) {
            throw .configuration("\(origin("rate_limit")): no rate \"\(rate)\"", fix: "write 10/s, 100/m or 1000/h")
        }
        if let key = made.limitKey, LimitKey(key) == nil {
            throw .configuration(
                "\(origin("limit_key")): no key \"\(key)\"",
                fix: "write an argument's name (url), its position (0), or url:domain for the host in it")
        }
        let isolation = Settings.taskIsolation.isolation
        guard let text = settings[isolation, of: name] else { return made }
        guard made.keep == nil else {
            throw .configuration(
                "\(origin("keep")): keep and isolation say the same thing", fix: "keep one of them")
        }
        made.keep = try Isolation(text, origin: settings.origin(isolation, of: name)).count
        return made
    }
}
