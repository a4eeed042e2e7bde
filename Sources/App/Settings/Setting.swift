import TaskModel

/// What a setting may hold, and how its text and TOML forms are read.
public enum SettingKind: Sendable, Equatable {
    case text
    /// A list; as text its elements are separated by commas.
    case texts
    case integer(ClosedRange<Int>)
    /// Seconds, fractions allowed.
    case seconds(ClosedRange<Double> = 0...SettingKind.maxSeconds)
    /// Fractions allowed.
    case number(ClosedRange<Double>)
    case flag
    case choice([String])
    /// A free table: broker arguments, keyword arguments of a task.
    case arguments
    /// A list of any values.
    case list

    /// 100 years: what is longer, or infinite, is no time that clocks can add.
    public static let maxSeconds = 100.0 * 365 * 86_400

    /// "an integer from 1 to 1024", for messages and the documentation.
    public var expectation: String {
        switch self {
        case .text: "a string"
        case .texts: "a list of strings"
        case .integer(let range):
            range.upperBound == .max
                ? "an integer of at least \(range.lowerBound)"
                : "an integer from \(range.lowerBound) to \(range.upperBound)"
        case .seconds(let range):
            range.upperBound == Self.maxSeconds
                ? "a number of seconds, at least \(range.lowerBound.plain) (and at most 100 years)"
                : "a number of seconds from \(range.lowerBound.plain) to \(range.upperBound.plain)"
        case .number(let range): "a number from \(range.lowerBound.plain) to \(range.upperBound.plain)"
        case .flag: "true or false"
        case .choice(let words): words.map { "\"\($0)\"" }.joined(separator: " or ")
        case .arguments: "a table"
        case .list: "a list"
        }
    }

    /// Reads the form used in the environment. nil: not what is expected.
    public func value(fromText text: String) -> SettingValue? {
        switch self {
        case .text: .text(text)
        case .texts: .texts(text.split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty })
        case .integer(let range): Int(text.trimmed).flatMap { range.contains($0) ? .integer($0) : nil }
        case .seconds(let range): Double(text.trimmed).flatMap { range.contains($0) ? .seconds($0) : nil }
        case .number(let range): Double(text.trimmed).flatMap { range.contains($0) ? .number($0) : nil }
        case .flag: Self.flags[text.trimmed.lowercased()].map(SettingValue.flag)
        case .choice(let words): Self.choose(text, among: words)
        case .arguments, .list: nil
        }
    }

    /// Capitals don't matter: Celery writes log levels in capitals.
    public static func choose(_ text: String, among words: [String]) -> SettingValue? {
        let word = text.trimmed.lowercased()
        return words.contains(word) ? .text(word) : nil
    }

    private static let flags = [
        "1": true, "true": true, "yes": true, "on": true, "0": false, "false": false, "no": false, "off": false,
    ]
}

/// One thing that can be set. `Settings.all` is the whole list; files, environment and documentation follow it.
public struct Setting: Sendable {
    /// Table and key, e.g. `["worker", "concurrency"]`. "*" stands for a name the operator chooses.
    public let path: [String]
    public let kind: SettingKind
    /// Environment variables that set it; an earlier one wins.
    public let environment: [String]
    /// The default, as the documentation shows it.
    public let fallback: String
    public let about: String

    public init(_ path: String, _ kind: SettingKind, environment: [String] = [], fallback: String, about: String) {
        self.path = path.split(separator: ".").map(String.init)
        self.kind = kind
        self.environment = environment
        self.fallback = fallback
        self.about = about
    }

    public var name: String { path.joined(separator: ".") }

    public func matches(_ other: [String]) -> Bool {
        path.count == other.count && zip(path, other).allSatisfy { $0 == "*" || $0 == $1 }
    }
}

extension String {
    public var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }
}
