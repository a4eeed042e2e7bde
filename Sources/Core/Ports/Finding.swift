// What `taskhost doctor` finds: one line of what, and one of the fix.

public struct Finding: Sendable, Equatable {
    public enum Level: String, Sendable, CaseIterable {
        case ok
        /// Good to know, or not to be found out; nothing is wrong.
        case note
        /// It works, and may hurt one day.
        case warn
        /// It does not work, or messages can be lost.
        case fail
    }

    public var level: Level
    /// "broker", "queue urgent", "bundle arithmetic.so".
    public var subject: String
    public var detail: String
    public var fix: String?

    public static func ok(_ subject: String, _ detail: String) -> Finding {
        Finding(level: .ok, subject: subject, detail: detail)
    }
    public static func note(_ subject: String, _ detail: String, fix: String? = nil) -> Finding {
        Finding(level: .note, subject: subject, detail: detail, fix: fix)
    }
    public static func warn(_ subject: String, _ detail: String, fix: String?) -> Finding {
        Finding(level: .warn, subject: subject, detail: detail, fix: fix)
    }
    public static func fail(_ subject: String, _ detail: String, fix: String?) -> Finding {
        Finding(level: .fail, subject: subject, detail: detail, fix: fix)
    }

    /// The first four, and how many more there are: "a, b, c, d and 3 more".
    public static func list(_ names: [String]) -> String {
        names.prefix(4).joined(separator: ", ") + (names.count > 4 ? " and \(names.count - 4) more" : "")
    }
}
