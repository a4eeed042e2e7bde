public import TaskModel

/// A setting's value with the place it came from, so that a later complaint can name that place.
public struct SourcedValue: Sendable, Equatable {
    public var value: SettingValue
    /// "taskhost.toml:3:1", "TASKHOST_CONCURRENCY", "--concurrency".
    public var origin: String

    public init(value: SettingValue, origin: String) {
        self.value = value
        self.origin = origin
    }
}

public enum SettingValue: Sendable, Equatable {
    case text(String)
    case texts([String])
    case integer(Int)
    case seconds(Double)
    case number(Double)
    case flag(Bool)
    case arguments(FieldTable)
    case list([FieldValue])
}

/// The settings one source makes, or several sources together.
public struct SettingsLayer: Sendable, Equatable {
    public init() {}

    public private(set) var values: [[String]: SourcedValue] = [:]

    public subscript(path: String) -> SourcedValue? { values[path.split(separator: ".").map(String.init)] }

    /// By components, for names that contain dots ("tasks", "images.blur", "keep").
    public subscript(components: [String]) -> SourcedValue? { values[components] }

    public mutating func set(_ path: [String], _ value: SettingValue, origin: String) {
        values[path] = SourcedValue(value: value, origin: origin)
    }

    public mutating func set(_ path: String, _ value: SettingValue, origin: String) {
        set(path.split(separator: ".").map(String.init), value, origin: origin)
    }

    public mutating func unset(_ path: [String]) { values[path] = nil }

    /// Names in use under a table of free names ("queues", "tasks"), sorted.
    public func names(under table: String) -> [String] {
        Set(values.keys.filter { $0.count == 3 && $0[0] == table }.map { $0[1] }).sorted()
    }

    /// Lays a stronger source over this one. A URL and the file that holds it are two forms of one setting:
    /// the stronger source's form displaces both.
    public mutating func overlay(_ stronger: SettingsLayer) {
        for table in ["broker", "results"] {
            let forms = [[table, "url"], [table, "url_file"]]
            if forms.contains(where: { stronger.values[$0] != nil }) {
                for form in forms { values[form] = nil }
            }
        }
        values.merge(stronger.values) { $1 }
    }
}
