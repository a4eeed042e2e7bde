// Schedules that bundles bring, under what the operator says of the same names.
import Beat
package import Output
import Settings
package import TaskModel
import TaskhostJSON

package enum BundleSchedules {
    private static let ways = ["cron", "every", "at", "solar"]

    /// What is wrong with a bundle's schedules, whatever the operator says; follows the file's path.
    @Sendable static func objection(to manifest: BundleManifest) -> String? {
        guard !manifest.schedules.isEmpty else { return nil }
        let alone = ConfigurationBuilder(settings: SettingsLayer(), hostName: "", processors: 1)
        do {
            _ = try tasks(of: [manifest], under: alone)
            return nil
        } catch {
            return "cannot be used: \(error.message)\(error.fix.map { ": \($0)" } ?? "")"
        }
    }

    /// The operator's schedules and those of bundles, with what the operator says of them. Of a name that several
    /// bring, the first one's is taken, as with tasks.
    package static func tasks(
        of manifests: [BundleManifest], under builder: ConfigurationBuilder
    ) throws(CommandFailure) -> [ScheduledTask] {
        var layer = SettingsLayer()
        var names: Set<String> = []
        let brought = manifests.flatMap(\.schedules).filter { names.insert($0.name).inserted }
        for schedule in brought { add(schedule, to: &layer, under: builder.settings) }
        layer.overlay(builder.settings)
        var whole = builder
        whole.settings = layer
        var tasks = try whole.schedules()
        for schedule in brought {
            guard let place = tasks.firstIndex(where: { $0.entry.name == schedule.name }) else { continue }
            if builder.settings[["schedules", schedule.name, "args"]] == nil, let text = schedule.argsJSON {
                tasks[place].args = try json(text, schedule).elements ?? []
            }
            if builder.settings[["schedules", schedule.name, "kwargs"]] == nil, let text = schedule.kwargsJSON {
                tasks[place].kwargs = try json(text, schedule).members ?? []
            }
        }
        return tasks
    }

    /// A schedule that is not sent, as another bundle has brought one of its name before.
    package struct Clash: Equatable {
        package var name: String
        /// Bundles.
        var kept: String
        var passedOver: String

        package var sentence: String {
            "schedule \(name) is brought by two bundles: that of \(kept) is sent, that of \(passedOver) is not"
        }
    }

    package static func clashes(_ manifests: [BundleManifest]) -> [Clash] {
        var owners: [String: String] = [:]
        var clashes: [Clash] = []
        for manifest in manifests {
            let title = "\(manifest.name) \(manifest.version)"
            for schedule in manifest.schedules {
                if let kept = owners[schedule.name] {
                    clashes.append(Clash(name: schedule.name, kept: kept, passedOver: title))
                } else {
                    owners[schedule.name] = title
                }
            }
        }
        return clashes
    }

    package static func orphan(_ name: String) -> (sentence: String, fix: String) {
        (
            "[schedules.\(name)] names no task, and no bundle has a schedule of that name",
            "add task = \"NAME\", or name the bundle's folder with --plugins"
        )
    }

    /// What the operator says of schedules that no bundle has.
    package static func orphans(_ manifests: [BundleManifest], under builder: ConfigurationBuilder) -> [String] {
        let brought = Set(manifests.flatMap(\.schedules).map(\.name))
        return builder.settings.names(under: "schedules").filter { name in
            builder.settings[["schedules", name, "task"]] == nil && !brought.contains(name)
        }
    }

    /// - Parameter settings: the operator's; who says when in another way does not want the bundle's way besides.
    private static func add(
        _ schedule: ScheduleManifest, to layer: inout SettingsLayer, under settings: SettingsLayer
    ) {
        func set(_ key: String, _ value: SettingValue?) {
            guard let value else { return }
            layer.set(["schedules", schedule.name, key], value, origin: "schedule \(schedule.name), \(key)")
        }
        set("task", .text(schedule.task))
        if !ways.contains(where: { settings[["schedules", schedule.name, $0]] != nil }) {
            set("cron", schedule.cron.map(SettingValue.text))
            set("every", schedule.every.map(SettingValue.seconds))
            if schedule.isRelative { set("relative", .flag(true)) }
        }
        set("timezone", schedule.timezone.map(SettingValue.text))
        set("queue", schedule.queue.map(SettingValue.text))
        set("missed", schedule.missed.map(SettingValue.text))
        set("expires", schedule.expires.map(SettingValue.seconds))
        set("priority", schedule.priority.map(SettingValue.integer))
    }

    private static func json(_ text: String, _ schedule: ScheduleManifest) throws(CommandFailure) -> JSON {
        do {
            return try JSON(parsing: Array(text.utf8))
        } catch {
            throw .configuration("schedule \(schedule.name): its arguments are no JSON (\(error))")
        }
    }
}
