import Linux

/// Where taskhost.toml is looked for. The first one found is read; they are not combined.
public enum ConfigurationFiles {
    public static func candidates(environment: [String: String]) -> [String] {
        var paths = ["taskhost.toml"]
        if let base = environment["XDG_CONFIG_HOME"], !base.isEmpty {
            paths.append("\(base)/taskhost/taskhost.toml")
        } else if let home = environment["HOME"], !home.isEmpty {
            paths.append("\(home)/.config/taskhost/taskhost.toml")
        }
        paths.append("/etc/taskhost/taskhost.toml")
        return paths
    }

    /// - Parameter named: the file of `--config`; it must exist.
    public static func read(named: String?, environment: [String: String]) throws(SettingsFailure) -> SettingsLayer {
        if let named { return try TOMLReader(file: named).read() }
        let found = candidates(environment: environment).first { Files.exists($0) }
        return try found.map { file throws(SettingsFailure) in try TOMLReader(file: file).read() } ?? SettingsLayer()
    }
}
