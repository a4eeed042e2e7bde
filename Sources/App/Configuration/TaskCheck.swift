// What is set for tasks, held against the tasks that are there: at the start of a worker, and by `taskhost doctor`. Pure.
package import TaskModel

package struct TaskCheck {
    let configuration: Configuration
    let tasks: [TaskManifest]

    package init(configuration: Configuration, tasks: [TaskManifest]) {
        self.configuration = configuration
        self.tasks = tasks
    }

    /// For the log of a worker.
    package func warningsAtStart() -> [String] { [nameWarning(), limitWarning()].compactMap { $0 } }
}
