import ArgumentParser
import Output
import Settings
import TaskModel

/// Options about the log.
struct LoggingOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "debug, info, warning, error or critical. Default: \(Settings.log.level.setting.fallback).",
            valueName: "level"))
    var loglevel: String?

    @Option(
        name: [.customShort("f"), .long],
        help: ArgumentHelp(
            "Append the log here. Default: \(Settings.log.file.setting.fallback). HUP reopens it.", valueName: "file"
        ))
    var logfile: String?

    @Option(help: ArgumentHelp("human or json. Default: \(Settings.log.format.setting.fallback).", valueName: "format"))
    var logFormat: String?

    func flags() throws(CommandFailure) -> SettingsLayer {
        var layer = SettingsLayer()
        try layer.read(Settings.log.level, loglevel.map(Self.word), option: "--loglevel")
        try layer.read(Settings.log.file, logfile, option: "--logfile")
        try layer.read(Settings.log.format, logFormat, option: "--log-format")
        return layer
    }

    /// Python's numbers of levels, which Celery takes, too.
    private static func word(_ text: String) -> String {
        guard let number = Int(text) else { return text }
        switch number {
        case ..<20: return "debug"
        case ..<30: return "info"
        case ..<40: return "warning"
        case ..<50: return "error"
        default: return "critical"
        }
    }
}

extension SettingsLayer {
    /// Reads an option's text as the setting it stands for; nil: the option was not given.
    mutating func read<Value>(_ key: Key<Value>, _ text: String?, option: String) throws(CommandFailure) {
        try read(key.setting, text, option: option)
    }

    /// As the default of an option of tasks.
    mutating func read<Value>(_ option: TaskOption<Value>, _ text: String?, option word: String) throws(CommandFailure)
    {
        guard let setting = Settings.taskDefaults([option]).first else { return }
        try read(setting, text, option: word)
    }

    private mutating func read(_ setting: Setting, _ text: String?, option: String) throws(CommandFailure) {
        guard let text else { return }
        guard let value = setting.kind.value(fromText: text) else {
            throw CommandFailure(.usage, "\(option) must be \(setting.kind.expectation), not \"\(text)\"")
        }
        set(setting.path, value, origin: option)
    }
}
