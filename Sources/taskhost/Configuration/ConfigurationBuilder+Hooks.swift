// `[hooks.NAME]`: who is told what happens to tasks.
import Foundation
import Hooks

/// As it was set; what it names is looked for when a worker starts.
struct HookSettings: Sendable, Equatable {
    enum Action: Sendable, Equatable {
        case command([String])
        case post(url: String, secretFile: String?)
        case task(String, queue: String?)
    }

    var name: String
    var occasions: Set<Hook.Occasion>
    var tasks: [String]
    var action: Action
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
        var occasions: Set<Hook.Occasion> = []
        for word in texts(name, "on") ?? [] {
            guard let occasion = Hook.Occasion(rawValue: word) else {
                let known = Hook.Occasion.allCases.map(\.rawValue)
                let guess = NearestName.of(word, among: known).map { "did you mean `\($0)`?" }
                throw .configuration(
                    "\(origin(name, "on")): no occasion \"\(word)\"",
                    fix: guess ?? "known are \(known.joined(separator: ", "))")
            }
            occasions.insert(occasion)
        }
        guard !occasions.isEmpty else {
            throw .configuration("[hooks.\(name)] does not say when", fix: "add on = [\"failure\", \"crash\"]")
        }
        var timeout = 10.0
        if case .seconds(let seconds)? = value(name, "timeout") { timeout = seconds }
        var retries = 3
        if case .integer(let number)? = value(name, "retries") { retries = number }
        return HookSettings(
            name: name, occasions: occasions, tasks: texts(name, "tasks") ?? ["*"], action: try action(name),
            timeout: timeout, retries: retries, environment: texts(name, "environment") ?? [])
    }

    private func action(_ name: String) throws(CommandFailure) -> HookSettings.Action {
        let (command, url, task) = (texts(name, "command"), text(name, "url"), text(name, "task"))
        for (key, isOfUse) in [
            ("secret_file", url != nil), ("retries", url != nil), ("queue", task != nil), ("timeout", task == nil),
            ("environment", command != nil),
        ] where !isOfUse && value(name, key) != nil {
            throw .configuration("\(origin(name, key)): \(key) means nothing to such a hook", fix: "leave it out")
        }
        switch (command, url, task) {
        case (let words?, nil, nil) where words.first?.isEmpty == false: return .command(words)
        case (nil, let url?, nil):
            guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
                throw .configuration("\(origin(name, "url")): no address \"\(url)\"", fix: "write http:// or https://")
            }
            return .post(url: url, secretFile: text(name, "secret_file"))
        case (nil, nil, let task?): return .task(task, queue: text(name, "queue"))
        default:
            throw .configuration(
                "[hooks.\(name)] must say what to do, in one way", fix: "write one of command, url and task")
        }
    }

    private func value(_ name: String, _ key: String) -> SettingValue? { settings[["hooks", name, key]]?.value }

    private func text(_ name: String, _ key: String) -> String? {
        if case .text(let text)? = value(name, key) { text } else { nil }
    }

    private func texts(_ name: String, _ key: String) -> [String]? {
        if case .texts(let texts)? = value(name, key) { texts } else { nil }
    }

    private func origin(_ name: String, _ key: String) -> String {
        settings[["hooks", name, key]]?.origin ?? "[hooks.\(name)]"
    }
}

extension HookSettings {
    /// - Throws: the program or the secret is not there.
    func hook(environment: [String: String]) throws(CommandFailure) -> Hook {
        let made: Hook.Action
        switch action {
        case .command(let words): made = .command([try program(words[0], environment)] + words.dropFirst())
        case .post(let url, let file):
            made = .post(
                url: url,
                secret: try file.map { path throws(CommandFailure) in
                    try SecretFile.read(path, origin: "[hooks.\(name)] secret_file")
                })
        case .task(let task, let queue): made = .task(task, queue: queue)
        }
        return Hook(
            name: name, occasions: occasions, tasks: tasks, action: made, timeout: timeout, retries: retries,
            environment: environment.filter { self.environment.contains($0.key) })
    }

    private func program(_ word: String, _ environment: [String: String]) throws(CommandFailure) -> String {
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        let places = word.contains("/") ? [word] : folders.map { "\($0)/\(word)" }
        // The command may change its folder, we do not.
        let found = places.first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let found else {
            throw .configuration(
                "[hooks.\(name)] command: \(word) is not there, or not executable",
                fix: word.contains("/") ? "chmod +x '\(word)', or correct the path" : "write its whole path")
        }
        return URL(filePath: found).path
    }
}
