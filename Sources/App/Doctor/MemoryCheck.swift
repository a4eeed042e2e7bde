// Memory limits of the tasks against what there is: the machine's memory, or less if a cgroup says so. Pure.
import Configuration
import Ports
import TaskModel

struct MemoryCheck {
    let configuration: Configuration
    let tasks: [TaskManifest]
    let ceiling: MemoryCeiling

    private var slots: Int { configuration.autoscale?.max ?? configuration.concurrency }

    func findings() -> [Finding] {
        guard !tasks.isEmpty else { return [] }
        var findings: [Finding] = []
        let worst = worst(slots)
        if worst > ceiling.mebibytes {
            var ways = ["set memory_limit lower", ceiling.way]
            let fitting = (1...slots).last { self.worst($0) <= ceiling.mebibytes }
            if let fitting { ways.insert("--concurrency \(fitting)", at: 0) }
            findings.append(
                .warn(
                    "memory",
                    "\(slots) slots may use \(worst) MiB by the tasks' memory limits, and \(ceiling.text): whom the kernel "
                        + "kills then may be the worker",
                    fix: ways.joined(separator: ", or ")))
        }
        let unlimited = tasks.filter { limit($0) == nil }
        let share = max(1, ceiling.mebibytes * 9 / 10 / slots)
        // A whole machine has no share set aside for us.
        if !unlimited.isEmpty, ceiling.isCgroup {
            findings.append(
                .note(
                    "memory",
                    "no memory limit, and \(ceiling.text): whom the kernel kills then may be the worker: "
                        + Finding.list(unlimited.map(\.name).sorted()),
                    fix: "memory_limit = \(share) in [worker] lets all slots have one"))
        }
        guard findings.isEmpty else { return findings }
        let isFree = unlimited.count == tasks.count
        let what = isFree ? "no task has a memory limit" : "\(slots) slots keep to it by the tasks' memory limits"
        return [.ok("memory", "\(what); \(ceiling.text)")]
    }

    /// MiB; nil: none.
    private func limit(_ task: TaskManifest) -> Int? {
        let own = configuration.tasks[task.name]?.memoryLimit ?? task.options.memoryLimit
        return (own ?? configuration.taskDefaults.memoryLimit).flatMap { $0 > 0 ? $0 : nil }
    }

    /// How many of it may run at a time on this worker.
    private func most(_ task: TaskManifest) -> Int {
        let own = configuration.tasks[task.name]
        let isByKey = (own?.limitKey ?? task.options.limitKey) != nil
        guard !isByKey, let most = own?.maxConcurrent ?? task.options.maxConcurrent, most > 0 else { return .max }
        return most
    }

    /// MiB that so many slots may use when the largest tasks run in them.
    private func worst(_ slots: Int) -> Int {
        var left = slots
        var sum = 0
        let largestFirst = tasks.compactMap { task in limit(task).map { (limit: $0, most: most(task)) } }
            .sorted { $0.limit > $1.limit }
        for task in largestFirst where left > 0 {
            let count = min(left, task.most)
            left -= count
            sum += count * task.limit
        }
        return sum
    }
}
