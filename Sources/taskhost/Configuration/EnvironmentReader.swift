/// Reads the settings that environment variables make.
enum EnvironmentReader {
    static func read(_ environment: [String: String]) throws(CommandFailure) -> SettingsLayer {
        var layer = SettingsLayer()
        for setting in Settings.all {
            for variable in setting.environment {
                // An empty variable counts as unset, as container tools leave them.
                guard let text = environment[variable], !text.isEmpty else { continue }
                guard let value = setting.kind.value(fromText: text) else {
                    throw .configuration(
                        "\(variable) must be \(setting.kind.expectation), not \"\(text)\"",
                        fix: "set it right, or unset it")
                }
                layer.set(setting.path, value, origin: variable)
                break
            }
        }
        return layer
    }
}
