// What every setting is, and who says so. Secrets are left out.
import Settings
import TaskModel

struct EffectiveSetting: Equatable {
    var name: String
    var value: String
    /// "default", "taskhost.toml:3:1", "TASKHOST_CONCURRENCY", "--concurrency".
    var origin: String
}

enum EffectiveSettings {
    /// In the order of the documentation; of tables with free names, only what is set.
    /// - Parameter resolved: defaults that are not constants, by setting.
    static func list(
        _ layer: SettingsLayer, _ resolved: [String: String], known: [Setting] = Settings.all
    ) -> [EffectiveSetting] {
        known.flatMap { setting -> [EffectiveSetting] in
            guard setting.path.contains("*") else {
                let set = layer[setting.path]
                let value = set.map { text($0.value, of: setting) } ?? resolved[setting.name] ?? setting.fallback
                return [EffectiveSetting(name: setting.name, value: value, origin: set?.origin ?? "default")]
            }
            return layer.names(under: setting.path[0]).compactMap { name in
                guard let set = layer[[setting.path[0], name, setting.path[2]]] else { return nil }
                let shown = name.contains(".") || name.contains("*") ? "\"\(name)\"" : name
                return EffectiveSetting(
                    name: "\(setting.path[0]).\(shown).\(setting.path[2])", value: text(set.value, of: setting),
                    origin: set.origin)
            }
        }
    }

    private static func text(_ value: SettingValue, of setting: Setting) -> String {
        switch value {
        case .text(let text): shown(text, of: setting)
        case .texts(let texts): texts.map { ConnectionURL.redacted($0) }.joined(separator: ", ")
        case .integer(let number): String(number)
        case .seconds(let number), .number(let number): number.plain
        case .flag(let flag): String(flag)
        // Arguments of tasks may be secrets; those of a queue are shown where the queue is checked.
        case .arguments(let table): "{ \(table.fields.map(\.key).joined(separator: ", ")) }"
        case .list(let values): "[ \(values.count) values ]"
        }
    }

    private static func shown(_ text: String, of setting: Setting) -> String {
        // Whatever the setting is called: an address may stand in any of them.
        let plain = ConnectionURL.redacted(text)
        // Who knows the path of such an address may post to it.
        guard setting.name == "hooks.*.url", let start = plain.firstRange(of: "://")?.upperBound else { return plain }
        return plain[..<start] + plain[start...].prefix { !"/?#".contains($0) } + "/…"
    }
}
