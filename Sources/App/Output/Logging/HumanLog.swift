import Logging

/// A line for people: time, level, text, then what goes with it.
struct HumanLog: LogHandler {
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]
    let sink: LogSink
    let coloured: Bool

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let said = Printable.record(LogText.bounded(event.message.description))
        var line = "\(LogTime.clock()) \(word(event.level)) \(said)"
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) where isWorthSaying(key, value, beside: event.message) {
            let shown = "\(key)=\(Printable.line(LogText.bounded(value.description)))"
            line += coloured ? " \u{1B}[2m\(shown)\u{1B}[0m" : " \(shown)"
        }
        sink.write(line + "\n")
    }

    /// Names of events and lists are for machines, and what the message says need not be said twice.
    private func isWorthSaying(
        _ key: String, _ value: Logger.Metadata.Value, beside message: Logger.Message
    ) -> Bool {
        if case .array = value { return false }
        return key != "event" && !message.description.contains(value.description)
    }

    private func word(_ level: Logger.Level) -> String {
        let (word, colour): (String, Int) =
            switch level {
            case .trace, .debug: ("debug", 90)
            case .info, .notice: ("info ", 32)
            case .warning: ("warn ", 33)
            case .error: ("error", 31)
            case .critical: ("CRIT ", 35)
            }
        return coloured ? "\u{1B}[\(colour)m\(word)\u{1B}[0m" : word
    }
}
