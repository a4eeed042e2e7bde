// Limits of tasks: those by time for brokers to judge, those that need a place to be shared.
import Engine
package import Ports
import Settings
package import TaskModel
import Transports

extension TaskCheck {
    /// Hard limits of all tasks.
    package var timeLimits: [TaskTimeLimit] {
        tasks.map { task in
            let limit =
                configuration.tasks[task.name]?.hardLimit ?? task.options.hardLimit
                ?? configuration.taskDefaults.hardLimit
            return TaskTimeLimit(task: task.name, seconds: limit.flatMap { $0 > 0 ? $0 : nil })
        }
    }

    /// nil: nothing is wrong, or nothing expires.
    func limitWarning() -> String? {
        configuration.broker.system.startWarning(
            timeLimits, consumerTimeout: configuration[Settings.broker.consumerTimeout])
    }

    /// Tasks that no worker would run, as all workers together are to limit them and have no place for it.
    package func scopes() -> [Finding] {
        guard configuration.sharedLimits == .none else { return [] }
        let stuck = tasks.filter(configuration.engineOptions().limitsGlobally)
        guard !stuck.isEmpty else { return [] }
        return [
            .fail(
                "limits",
                "limit_scope is \"global\", and there is no place that all workers share: never run are "
                    + Finding.list(stuck.map(\.name).sorted()),
                fix: "set shared_limits.url to a \(Transports.list(Transports.limits.map { $0.shortForm })) address, "
                    + "or their limit_scope to \"worker\"")
        ]
    }
}
