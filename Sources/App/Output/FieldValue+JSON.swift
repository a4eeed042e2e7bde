import TaskModel
package import TaskhostJSON

extension FieldValue {
    /// What settings and options of tasks can hold; null for anything else.
    package var json: JSON {
        switch self {
        case .string(let text): .string(text)
        case .bool(let flag): .bool(flag)
        case .int(let number): .int(number)
        case .double(let number): .double(number)
        case .array(let values): .array(values.map(\.json))
        case .table(let table): .object(table.fields.map { JSONMember(key: $0.key, value: $0.value.json) })
        default: .null
        }
    }
}
