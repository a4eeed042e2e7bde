import TaskModel

extension SettingKind {
    /// nil: not what is expected.
    func value(fromTOML value: TOMLValue) -> SettingValue? {
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

    private static func texts(_ array: [TOMLValue]) -> SettingValue? {
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
    init?(toml value: TOMLValue) {
        switch value {
        case .text(let text): self = .string(text)
        case .flag(let flag): self = .bool(flag)
        case .integer(let number): self = .int(number)
        case .number(let number): self = .double(number)
        case .table(let table):
            guard let fields = FieldTable(toml: table) else { return nil }
            self = .table(fields)
        case .array(let array):
            var elements: [FieldValue] = []
            for element in array {
                guard let field = FieldValue(toml: element) else { return nil }
                elements.append(field)
            }
            self = .array(elements)
        case .time: return nil
        }
    }
}

extension TOMLValue {
    var string: String? { if case .text(let text) = self { text } else { nil } }
    var int: Int? { if case .integer(let number) = self { Int(number) } else { nil } }
    var double: Double? { if case .number(let number) = self { number } else { nil } }
    var bool: Bool? { if case .flag(let flag) = self { flag } else { nil } }
    var array: [TOMLValue]? { if case .array(let array) = self { array } else { nil } }
    var table: TOMLTable? { if case .table(let table) = self { table } else { nil } }

    /// For messages: what stands there, in words.
    var tomlDescription: String {
        switch self {
        case .text(let text): "the string \"\(text)\""
        case .flag(let flag): "\(flag)"
        case .integer(let number): "\(number)"
        case .number(let number): "\(number)"
        case .array: "a list"
        case .table: "a table"
        case .time: "a date or time"
        }
    }
}
