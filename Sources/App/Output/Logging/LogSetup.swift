package import Logging
package import Settings

/// Makes the logger that the settings ask for.
package struct LogSetup {
    package let sink: LogSink
    package let isJSON: Bool
    package let level: Logger.Level

    /// - Parameter file: where to; nil: standard error.
    package init(_ settings: SettingsLayer, file: String?) throws(CommandFailure) {
        sink = try LogSink(path: file)
        isJSON = settings[Settings.log.format].map { $0 == "json" } ?? !sink.isTerminal
        if isJSON { sink.lossLine = JSONLog.lossLine }
        level = settings[Settings.log.level]
    }

    /// - Parameter environment: `NO_COLOR` switches colours off.
    package func isColoured(environment: [String: String]) -> Bool {
        !isJSON && sink.isTerminal && (environment["NO_COLOR"] ?? "").isEmpty
    }

    package func logger(environment: [String: String]) -> Logger {
        let coloured = isColoured(environment: environment)
        let handler: any LogHandler = isJSON ? JSONLog(sink: sink) : HumanLog(sink: sink, coloured: coloured)
        var logger = Logger(label: "taskhost") { _ in handler }
        logger.logLevel = level
        return logger
    }
}
