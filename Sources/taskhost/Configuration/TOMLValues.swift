import TOMLKit
import TaskModel

extension SettingKind {
    /// nil: not what is expected.
    func value(fromTOML value: any TOMLValueConvertible) -> SettingValue? {
        switch self {
        case .text:
            value.string.map(SettingValue.text)
        case .texts:
            // A single string is taken as on the command line: "urgent,normal".
            value.string.flatMap(self.value(fromText:)) ?? value.array.flatMap(Self.texts)
        case .integer(let range):
            value.int.flatMap { range.contains($0) ? .integer($0) : nil }
        case .seconds(let range):
            (value.double ?? value.int.map(Double.init)).flatMap { range.contains($0) ? .seconds($0) : nil }
        case .number(let range):
            (value.double ?? value.int.map(Double.init)).flatMap { range.contains($0) ? .number($0) : nil }
        case .flag:
            value.bool.map(SettingValue.flag)
        case .choice(let words):
            value.string.flatMap { Self.choose($0, among: words) }
        case .arguments:
            value.table.flatMap(FieldTable.init(toml:)).map(SettingValue.arguments)
        case .list:
            if case .array(let values)? = FieldValue(toml: value) { .list(values) } else { nil }
        }
    }

    private static func texts(_ array: TOMLArray) -> SettingValue? {
        var texts: [String] = []
        for element in array {
            guard let text = element.string else { return nil }
            texts.append(text)
        }
        return .texts(texts)
    }
}

extension FieldTable {
    /// nil: it holds something a broker's argument cannot be (dates).
    init?(toml: TOMLTable) {
        self.init()
        for (key, value) in toml {
            guard let field = FieldValue(toml: value) else { return nil }
            self[key] = field
        }
    }
}

extension FieldValue {
    init?(toml value: any TOMLValueConvertible) {
        if let text = value.string {
            self = .string(text)
        } else if let flag = value.bool {
            self = .bool(flag)
        } else if let number = value.int {
            self = .int(Int64(number))
        } else if let number = value.double {
            self = .double(number)
        } else if let table = value.table, let fields = FieldTable(toml: table) {
            self = .table(fields)
        } else if let array = value.array {
            var elements: [FieldValue] = []
            for element in array {
                guard let field = FieldValue(toml: element) else { return nil }
                elements.append(field)
            }
            self = .array(elements)
        } else {
            return nil
        }
    }
}

extension TOMLValueConvertible {
    /// For messages: what stands there, in words.
    var tomlDescription: String {
        if let text = string { return "the string \"\(text)\"" }
        if let flag = bool { return "\(flag)" }
        if let number = int { return "\(number)" }
        if let number = double { return "\(number)" }
        if array != nil { return "a list" }
        if table != nil { return "a table" }
        return "a date or time"
    }
}
