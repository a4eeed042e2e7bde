// How much a line of the log matters.

/// The levels that the parts below the program use; the program hands them to swift-log.
/// The raw values are those of the runner's log records (Sources/Runner/CRunnerProtocol).
public enum LogLevel: Int, Sendable, Comparable {
    case debug = 0
    case info = 1
    case warning = 2
    case error = 3

    /// Numbers beyond the ends count as the end.
    public init(clamping number: Int) { self = LogLevel(rawValue: min(max(number, 0), 3)) ?? .error }

    public static func < (one: LogLevel, other: LogLevel) -> Bool { one.rawValue < other.rawValue }
}
