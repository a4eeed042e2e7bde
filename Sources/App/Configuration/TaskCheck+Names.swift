// Settings of tasks that no bundle here has: a misspelt name changes nothing, and nobody would see it.
package import Ports
package import TaskModel

extension TaskCheck {
    /// `[tasks."NAME"]` that hold for none of the tasks. Nothing when there are no tasks: then all would be strange.
    package func strangers() -> [(name: String, meant: String?)] {
        guard !tasks.isEmpty else { return [] }
        let known = tasks.map(\.name)
        return configuration.tasks.names.filter { name in
            // Celery's own are in no bundle.
            !name.hasPrefix("celery.") && !known.contains { NamePattern.matches(name, $0) }
        }.map { ($0, NearestName.ofTask($0, among: known)) }
    }

    /// Warnings, as a plugins folder may be filled later.
    package func strangerFindings() -> [Finding] {
        strangers().map { name, meant in
            .warn(
                "tasks", "[tasks.\"\(name)\"] holds for no task of the bundles that load here",
                fix: meant.map { "did you mean [tasks.\"\($0)\"]?" } ?? "`taskhost bundles` lists their names")
        }
    }

    func nameWarning() -> String? {
        let strangers = strangers().map { name, meant in
            "[tasks.\"\(name)\"]" + (meant.map { " (did you mean '\($0)'?)" } ?? "")
        }
        return strangers.isEmpty ? nil : "settings of tasks that no loaded bundle has: \(Finding.list(strangers))"
    }
}
