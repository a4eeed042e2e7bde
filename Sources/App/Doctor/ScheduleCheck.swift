// What beat would send: the operator's schedules and those that bundles bring. Pure.
import Beat
import Configuration
import Output
import Ports
import TaskModel

struct ScheduleCheck {
    /// Of the bundles that load, in their order.
    let manifests: [BundleManifest]
    let builder: ConfigurationBuilder

    func findings() -> [Finding] {
        var findings = BundleSchedules.orphans(manifests, under: builder).map(BundleSchedules.orphan).map { orphan in
            Finding.warn("schedules", orphan.sentence, fix: orphan.fix)
        }
        findings += BundleSchedules.clashes(manifests).map { clash in
            .warn(
                "schedules", clash.sentence,
                fix: "call one of the bundles otherwise, or say of [schedules.\"\(clash.name)\"] what you want sent")
        }
        do throws(CommandFailure) {
            let tasks = try BundleSchedules.tasks(of: manifests, under: builder)
            findings += unserved(tasks)
            guard findings.isEmpty, !tasks.isEmpty else { return findings }
            let brought = Set(manifests.flatMap(\.schedules).map(\.name))
            let count = tasks.count { brought.contains($0.entry.name) }
            return [.ok("schedules", "\(tasks.count), of which bundles bring \(count)")]
        } catch {
            return findings + [.fail("schedules", "beat would send nothing: \(error.message)", fix: error.fix)]
        }
    }

    /// Other workers may have it.
    private func unserved(_ tasks: [ScheduledTask]) -> [Finding] {
        let offered = Set(manifests.flatMap(\.tasks).map(\.name))
        return tasks.filter { !offered.contains($0.task) }.map { task in
            .note(
                "schedules", "[schedules.\"\(task.entry.name)\"] sends \(task.task), which no bundle here offers",
                fix: "see that a worker of its queue (\(task.queue ?? "celery")) has that task")
        }
    }
}
