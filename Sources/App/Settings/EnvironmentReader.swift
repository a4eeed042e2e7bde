/// Reads the settings that environment variables make.
public enum EnvironmentReader {
    public static func read(
        _ environment: [String: String], known: [Setting] = Settings.all
    ) throws(SettingsFailure) -> SettingsLayer {
        var layer = SettingsLayer()
        for setting in known {
            for variable in setting.environment {
                // An empty variable counts as unset, as container tools leave them.
                guard let text = environment[variable], !text.isEmpty else { continue }
                guard let value = setting.kind.value(fromText: text) else {
                    throw SettingsFailure(
                        "\(variable) must be \(setting.kind.expectation), not \"\(text)\"",
                        fix: "set it right, or unset it")
                }
                layer.set(setting.path, value, origin: variable)
                break
            }
        }
        OpenTelemetryVariables(environment).fill(&layer)
        return layer
    }
}
