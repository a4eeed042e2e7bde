// A setting with the type that its value has in the program.

/// A row of the settings: where it stands, what it may hold, its sentence, and what holds unless it is set.
public struct Key<Value: Sendable>: SettingRow {
    public let setting: Setting
    /// What holds unless it is set. Written nowhere else: the documentation and `doctor` show it from here.
    public let standard: Value
    /// nil: not of this type, which the reading of files and variables has ruled out.
    fileprivate let read: @Sendable (SettingValue) -> Value?

    /// - Parameters:
    ///   - path: "worker.grace"; "*" stands for a name the operator chooses.
    ///   - environment: variables that set it; an earlier one wins.
    ///   - shown: the default in words, where its value does not say it.
    ///   - about: a sentence for the documentation, with the unit of a number that is not in seconds.
    public init(
        _ path: String, _ kind: SettingKind, environment: [String] = [], default standard: Value, shown: String? = nil,
        _ about: String
    ) where Value: SettingContent {
        setting = Setting(
            path, kind, environment: environment, fallback: shown ?? standard.shown, about: about)
        self.standard = standard
        read = { Value(setting: $0) }
    }

    /// One that the program has in another type than files and variables.
    public init<Plain: SettingContent>(
        _ path: String, _ kind: SettingKind, environment: [String] = [], default standard: Value, shown: String,
        _ about: String, read: @escaping @Sendable (Plain) -> Value
    ) {
        setting = Setting(path, kind, environment: environment, fallback: shown, about: about)
        self.standard = standard
        self.read = { Plain(setting: $0).map(read) }
    }

    /// A number of which 0 says "none".
    public init<Number: SettingContent & Numeric>(
        _ path: String, _ kind: SettingKind, environment: [String] = [], orNone standard: Number?, _ about: String
    ) where Value == Number? {
        setting = Setting(path, kind, environment: environment, fallback: standard.shown, about: about)
        self.standard = standard
        read = { Number(setting: $0).map { $0 == 0 ? Number?.none : $0 } }
    }

    /// One of some words.
    public init(
        _ path: String, among words: [Value], environment: [String] = [], default standard: Value, _ about: String
    ) where Value: RawRepresentable<String> {
        setting = Setting(
            path, .choice(words.map(\.rawValue)), environment: environment, fallback: standard.rawValue, about: about)
        self.standard = standard
        read = { String(setting: $0).flatMap(Value.init(rawValue:)) }
    }

    /// - Parameter name: what "*" stands for.
    public func path(of name: String) -> [String] { setting.path.map { $0 == "*" ? name : $0 } }
}

public protocol SettingRow: Sendable {
    var setting: Setting { get }
}

/// A table of the settings: its stored properties are its keys.
public protocol SettingsSection: Sendable {}

extension SettingsSection {
    /// In the order of the declarations, so that a key cannot be forgotten in a list.
    public var rows: [Setting] {
        Mirror(reflecting: self).children.compactMap { ($0.value as? any SettingRow)?.setting }
    }
}

extension SettingsLayer {
    /// What holds: as set, else the default.
    public subscript<Value>(key: Key<Value>) -> Value { given(key) ?? key.standard }

    /// - Parameter name: "images" of `[queues.images]`.
    public subscript<Value>(key: Key<Value>, of name: String) -> Value { given(key, of: name) ?? key.standard }

    /// nil: not set.
    public func given<Value>(_ key: Key<Value>) -> Value? { sourced(key).flatMap { key.read($0.value) } }

    public func given<Value>(_ key: Key<Value>, of name: String) -> Value? {
        self[key.path(of: name)].flatMap { key.read($0.value) }
    }

    public func sourced<Value>(_ key: Key<Value>) -> SourcedValue? { self[key.setting.path] }

    /// Where it was set.
    public func origin<Value>(_ key: Key<Value>) -> String { sourced(key)?.origin ?? "default" }

    public func origin<Value>(_ key: Key<Value>, of name: String) -> String {
        self[key.path(of: name)]?.origin ?? "[\(key.setting.path[0]).\(name)]"
    }

    public mutating func set<Value>(_ key: Key<Value>, _ value: SettingValue, origin: String) {
        set(key.setting.path, value, origin: origin)
    }
}
