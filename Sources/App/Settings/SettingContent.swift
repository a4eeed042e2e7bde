// The types that settings have in files, and how each is shown as a default.
public import TaskModel

public protocol SettingContent: Sendable {
    /// nil: of another kind.
    init?(setting value: SettingValue)
    /// As a default in the documentation.
    var shown: String { get }
}

extension String: SettingContent {
    public init?(setting value: SettingValue) {
        guard case .text(let text) = value else { return nil }
        self = text
    }

    public var shown: String { self }
}

extension [String]: SettingContent {
    public init?(setting value: SettingValue) {
        guard case .texts(let texts) = value else { return nil }
        self = texts
    }

    public var shown: String { isEmpty ? "none" : joined(separator: ", ") }
}

extension Int: SettingContent {
    public init?(setting value: SettingValue) {
        guard case .integer(let number) = value else { return nil }
        self = number
    }

    public var shown: String { String(self) }
}

extension Double: SettingContent {
    public init?(setting value: SettingValue) {
        switch value {
        case .seconds(let number), .number(let number): self = number
        default: return nil
        }
    }

    public var shown: String { plain }
}

extension Bool: SettingContent {
    public init?(setting value: SettingValue) {
        guard case .flag(let flag) = value else { return nil }
        self = flag
    }

    public var shown: String { String(self) }
}

extension FieldTable: SettingContent {
    public init?(setting value: SettingValue) {
        guard case .arguments(let table) = value else { return nil }
        self = table
    }

    /// Those that are not empty are no default.
    public var shown: String { "{}" }
}

/// A list of any values. `[FieldValue]` itself cannot conform beside `[String]`.
public struct ValueList: SettingContent, Equatable {
    public var values: [FieldValue] = []

    public init() {}

    public init?(setting value: SettingValue) {
        guard case .list(let values) = value else { return nil }
        self.values = values
    }

    public var shown: String { "[]" }
}

extension Optional: SettingContent where Wrapped: SettingContent {
    public init?(setting value: SettingValue) {
        guard let wrapped = Wrapped(setting: value) else { return nil }
        self = .some(wrapped)
    }

    public var shown: String { map(\.shown) ?? "none" }
}
