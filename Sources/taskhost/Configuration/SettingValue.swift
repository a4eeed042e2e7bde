import TaskModel

/// A setting's value with the place it came from, so that a later complaint can name that place.
struct SourcedValue: Sendable, Equatable {
    var value: SettingValue
    /// "taskhost.toml:3:1", "TASKHOST_CONCURRENCY", "--concurrency".
    var origin: String
}

enum SettingValue: Sendable, Equatable {
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
struct SettingsLayer: Sendable, Equatable {
    private(set) var values: [[String]: SourcedValue] = [:]

    subscript(path: String) -> SourcedValue? { values[path.split(separator: ".").map(String.init)] }

    /// By components, for names that contain dots ("tasks", "images.blur", "keep").
    subscript(components: [String]) -> SourcedValue? { values[components] }

    mutating func set(_ path: [String], _ value: SettingValue, origin: String) {
        values[path] = SourcedValue(value: value, origin: origin)
    }

    mutating func set(_ path: String, _ value: SettingValue, origin: String) {
        set(path.split(separator: ".").map(String.init), value, origin: origin)
    }

    /// Names in use under a table of free names ("queues", "tasks"), sorted.
    func names(under table: String) -> [String] {
        Set(values.keys.filter { $0.count == 3 && $0[0] == table }.map { $0[1] }).sorted()
    }

    /// Lays a stronger source over this one. A URL and the file that holds it are two forms of one setting:
    /// the stronger source's form displaces both.
    mutating func overlay(_ stronger: SettingsLayer) {
        for table in ["broker", "results"] {
            let forms = [[table, "url"], [table, "url_file"]]
            if forms.contains(where: { stronger.values[$0] != nil }) {
                for form in forms { values[form] = nil }
            }
        }
        values.merge(stronger.values) { $1 }
    }

    func text(_ path: String) -> String? { if case .text(let text)? = self[path]?.value { text } else { nil } }
    func texts(_ path: String) -> [String]? { if case .texts(let texts)? = self[path]?.value { texts } else { nil } }
    func integer(_ path: String) -> Int? { if case .integer(let number)? = self[path]?.value { number } else { nil } }
    func seconds(_ path: String) -> Double? { if case .seconds(let time)? = self[path]?.value { time } else { nil } }
    func number(_ path: String) -> Double? { if case .number(let number)? = self[path]?.value { number } else { nil } }
    func flag(_ path: String) -> Bool? { if case .flag(let flag)? = self[path]?.value { flag } else { nil } }
}
