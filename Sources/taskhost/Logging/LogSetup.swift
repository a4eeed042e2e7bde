import Logging

/// Makes the logger that the settings ask for.
struct LogSetup {
    let sink: LogSink
    let isJSON: Bool
    let level: Logger.Level

    init(_ settings: SettingsLayer) throws(CommandFailure) {
        sink = try LogSink(path: settings.text("log.file"))
        isJSON = settings.text("log.format").map { $0 == "json" } ?? !sink.isTerminal
        level = settings.text("log.level").flatMap(Logger.Level.init(rawValue:)) ?? .info
    }

    /// - Parameter environment: `NO_COLOR` switches colours off.
    func isColoured(environment: [String: String]) -> Bool {
        !isJSON && sink.isTerminal && (environment["NO_COLOR"] ?? "").isEmpty
    }

    func logger(environment: [String: String]) -> Logger {
        let coloured = isColoured(environment: environment)
        let handler: any LogHandler = isJSON ? JSONLog(sink: sink) : HumanLog(sink: sink, coloured: coloured)
        var logger = Logger(label: "taskhost") { _ in handler }
        logger.logLevel = level
        return logger
    }
}
