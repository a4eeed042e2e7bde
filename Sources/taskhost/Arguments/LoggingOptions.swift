import ArgumentParser

/// Options about the log.
struct LoggingOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp("debug, info, warning, error or critical. Default: info.", valueName: "level"))
    var loglevel: String?

    @Option(
        name: [.customShort("f"), .long],
        help: ArgumentHelp("Append the log here. Default: standard error. HUP opens it anew.", valueName: "file"))
    var logfile: String?

    @Option(help: ArgumentHelp("human or json. Default: human on a terminal, else json.", valueName: "format"))
    var logFormat: String?

    func flags() throws(CommandFailure) -> SettingsLayer {
        var layer = SettingsLayer()
        try layer.read("log.level", loglevel, option: "--loglevel")
        try layer.read("log.file", logfile, option: "--logfile")
        try layer.read("log.format", logFormat, option: "--log-format")
        return layer
    }
}

extension SettingsLayer {
    /// Reads an option's text as the setting it stands for.
    mutating func read(_ path: String, _ text: String?, option: String) throws(CommandFailure) {
        guard let text, let setting = Settings.all.first(where: { $0.name == path }) else { return }
        guard let value = setting.kind.value(fromText: text) else {
            throw CommandFailure(.usage, "\(option) must be \(setting.kind.expectation), not \"\(text)\"")
        }
        set(path, value, origin: option)
    }
}
