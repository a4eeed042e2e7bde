// Limits how often a repeated reason is reported.
public import TaskModel

/// For code that tries once a second and logs why it failed.
public struct RepeatedReason: Sendable {
    private var last: (text: String, at: Instant)?

    /// The same reason is worth another line after so many seconds.
    public static let seconds = 30.0

    public init() {}

    public mutating func isWorthReporting(_ text: String, at now: Instant) -> Bool {
        if let last, last.text == text, now.seconds(since: last.at) < Self.seconds { return false }
        last = (text, now)
        return true
    }

    /// It is over: the next time it is reported again.
    public mutating func forget() { last = nil }
}

/// Says when an outage begins and ends, however often it is tried meanwhile: its end is reported if its beginning, or
/// nothing yet, was.
public struct ReportedOutage: Sendable {
    private var reasons = RepeatedReason()
    private var isToReport = true

    public init() {}

    /// - Returns: whether that is worth a line.
    public mutating func begins(_ reason: String, at now: Instant) -> Bool {
        let isNews = reasons.isWorthReporting(reason, at: now)
        isToReport = isToReport || isNews
        return isNews
    }

    public mutating func ends() -> Bool {
        defer { isToReport = false }
        return isToReport
    }
}
