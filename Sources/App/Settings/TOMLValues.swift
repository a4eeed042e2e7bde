public import TaskModel

extension SettingKind {
    /// nil: not what is expected.
    func value(fromTOML value: TOMLValue) -> SettingValue? { FieldValue(toml: value).flatMap(self.value(from:)) }

    /// nil: not what is expected.
    public func value(from field: FieldValue) -> SettingValue? {
        switch self {
        case .text: field.words.map(SettingValue.text)
        case .texts:
            // A single string is taken as on the command line: "urgent,normal".
            if let text = field.words { value(fromText: text) } else { Self.texts(field) }
        case .integer(let range):
            if case .int(let number) = field, range.contains(Int(number)) { .integer(Int(number)) } else { nil }
        case .seconds(let range): field.decimal.flatMap { range.contains($0) ? .seconds($0) : nil }
        case .number(let range): field.decimal.flatMap { range.contains($0) ? .number($0) : nil }
        case .flag: if case .bool(let flag) = field { .flag(flag) } else { nil }
        case .choice(let words): field.words.flatMap { Self.choose($0, among: words) }
        case .arguments: if case .table(let table) = field { .arguments(table) } else { nil }
        case .list: if case .array(let values) = field { .list(values) } else { nil }
        }
    }

    private static func texts(_ field: FieldValue) -> SettingValue? {
        guard case .array(let elements) = field else { return nil }
        let texts = elements.compactMap(\.words)
        return texts.count == elements.count ? .texts(texts) : nil
    }
}

extension FieldValue {
    fileprivate var words: String? { if case .string(let text) = self { text } else { nil } }

    fileprivate var decimal: Double? {
        switch self {
        case .int(let number): Double(number)
        case .double(let number): number
        default: nil
        }
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
