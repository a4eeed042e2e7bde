// `[hooks.NAME]`: what is done on events of tasks.
import Glibc
package import Hooks
import Linux
package import Output
import Settings
import TaskModel

/// As it was set; what it names is looked for when a worker starts.
package struct HookSettings: Sendable, Equatable {
    package enum Action: Sendable, Equatable {
        case command([String])
        case post(url: String, secretFile: String?)
        case task(String, queue: String?)
    }

    package var name: String
    var triggers: Set<Hook.Trigger>
    var tasks: [String]
    package var action: Action
    var timeout: Double
    var retries: Int
    /// Names of variables.
    var environment: [String]
}

extension ConfigurationBuilder {
    func hooks() throws(CommandFailure) -> [HookSettings] {
        var made: [HookSettings] = []
        for name in settings.names(under: "hooks") { made.append(try hook(name)) }
        return made
    }

    private func hook(_ name: String) throws(CommandFailure) -> HookSettings {
        let keys = Settings.hooks
        var triggers: Set<Hook.Trigger> = []
        for word in settings[keys.on, of: name] {
            guard let trigger = Hook.Trigger(rawValue: word) else {
                let known = Hook.Trigger.allCases.map(\.rawValue)
                let guess = NearestName.of(word, among: known).map { "did you mean `\($0)`?" }
                throw .configuration(
                    "\(settings.origin(keys.on, of: name)): no trigger \"\(word)\"",
                    fix: guess ?? "known are \(known.joined(separator: ", "))")
            }
            triggers.insert(trigger)
        }
        guard !triggers.isEmpty else {
            throw .configuration("[hooks.\(name)] does not say when", fix: "add on = [\"failure\", \"crash\"]")
        }
        return HookSettings(
            name: name, triggers: triggers, tasks: settings[keys.tasks, of: name], action: try action(name),
            timeout: settings[keys.timeout, of: name], retries: settings[keys.retries, of: name],
            environment: settings[keys.environment, of: name])
    }

    private func action(_ name: String) throws(CommandFailure) -> HookSettings.Action {
        let keys = Settings.hooks
        let (command, url, task) = (
            settings[keys.command, of: name], settings[keys.url, of: name], settings[keys.task, of: name]
        )
        for (key, isOfUse) in [
            ("secret_file", url != nil), ("retries", url != nil), ("queue", task != nil), ("timeout", task == nil),
            ("environment", command != nil),
        ] where !isOfUse {
            guard let set = settings[["hooks", name, key]] else { continue }
            throw .configuration("\(set.origin): \(key) means nothing to such a hook", fix: "leave it out")
        }
        switch (command, url, task) {
        case (let words?, nil, nil) where words.first?.isEmpty == false: return .command(words)
        case (nil, let url?, nil):
            guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
                throw .configuration(
                    "\(settings.origin(keys.url, of: name)): no address \"\(url)\"", fix: "write http:// or https://")
            }
            return .post(url: url, secretFile: settings[keys.secretFile, of: name])
        case (nil, nil, let task?): return .task(task, queue: settings[keys.queue, of: name])
        default:
            throw .configuration(
                "[hooks.\(name)] must say what to do, in one way", fix: "write one of command, url and task")
        }
    }
}

extension HookSettings {
    /// - Throws: the program or the secret is not there.
    package func hook(environment: [String: String]) throws(CommandFailure) -> Hook {
        let made: Hook.Action
        switch action {
        case .command(let words): made = .command([try program(words[0], environment)] + words.dropFirst())
        case .post(let url, let file):
            made = .post(
                url: url,
                secret: try file.map { path throws(CommandFailure) in
                    try CommandFailure.reading { () throws(SettingsFailure) in
                        try SecretFile.read(path, origin: "[hooks.\(name)] secret_file")
                    }
                })
        case .task(let task, let queue): made = .task(task, queue: queue)
        }
        return Hook(
            name: name, triggers: triggers, tasks: tasks, action: made, timeout: timeout, retries: retries,
            environment: environment.filter { self.environment.contains($0.key) })
    }

    private func program(_ word: String, _ environment: [String: String]) throws(CommandFailure) -> String {
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        let places = word.contains("/") ? [word] : folders.map { "\($0)/\(word)" }
        // The command may change its folder, we do not.
        let found = places.first { access($0, X_OK) == 0 }
        guard let found else {
            throw .configuration(
                "[hooks.\(name)] command: \(word) is not there, or not executable",
                fix: word.contains("/") ? "chmod +x '\(word)', or correct the path" : "write its whole path")
        }
        return Files.absolute(found)
    }
}
